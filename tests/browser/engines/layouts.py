"""Looks at the layout with JavaScript, for engines of every kind."""

OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
"""Pixels that the page is too wide by."""

UNREACHABLE = """(() => {
  const root = document.querySelector("dialog:modal") ?? document.body;
  const controls = [...root.querySelectorAll("button, a[href], input:not(#compare-range), [role=radio]")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
  const spots = [[0.5, 0.5], [0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]];
  return controls.filter((element) => {
    element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
    const { x, y, width, height } = element.getBoundingClientRect();
    return !spots.every(([right, down]) => {
      const hit = document.elementFromPoint(x + width * right, y + height * down);
      return hit !== null && (element.contains(hit) || hit.contains(element) && hit.matches("label"));
    });
  }).map((element) => element.id || element.dataset.value || element.dataset.design || element.textContent.trim());
})()"""
"""Names of the visible controls that something covers, or that no scrolling brings into view: in the topmost dialog, or
in the page where none is open. At the picture's edge, the comparison's handle lies under all others on purpose."""
