/**
 * The style sheet of `<nail-try-on>`, as text: a page's policy may allow no style sheet from elsewhere and none inline,
 * but constructed ones always. Over the picture it is dark with light words; around it, the page's own colours and font
 * go on. What a page may change are custom properties and parts; web/README.md lists them.
 */

export const STYLE = `
:host {
  --accent: var(--nail-try-on-accent, #b3001b);
  --on-accent: var(--nail-try-on-on-accent, #fff);
  --background: var(--nail-try-on-background, #1b1013);
  --words: var(--nail-try-on-color, #fbf5ee);
  --glass: var(--nail-try-on-glass, rgb(24 15 17 / 72%));
  --radius: var(--nail-try-on-radius, 20px);
  display: block;
  inline-size: 100%;
  box-sizing: border-box;
  font: 16px/1.45 var(--nail-try-on-font, inherit);
  font-family: var(--nail-try-on-font, inherit);
  text-align: start;
  -webkit-tap-highlight-color: transparent;
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }

.frame { container-type: inline-size; block-size: 100%; }
.layout { display: flex; flex-direction: column; gap: 12px; block-size: 100%; }

.stage {
  position: relative;
  flex: 1 1 auto;
  min-block-size: 0;
  aspect-ratio: var(--nail-try-on-aspect, 3 / 4);
  overflow: hidden;
  border-radius: var(--radius);
  color: var(--words);
  background: radial-gradient(120% 80% at 50% 18%, color-mix(in srgb, var(--background) 78%, #b0566a), var(--background) 72%)
    var(--background);
  isolation: isolate;
}
.picture { position: absolute; inset: 0; }

button, .primary {
  font: inherit;
  font-weight: 600;
  color: inherit;
  border: 0;
  cursor: pointer;
  touch-action: manipulation;
}
button:disabled { opacity: 0.38; cursor: default; }
:focus-visible { outline: 3px solid var(--words); outline-offset: 3px; }
svg { display: block; fill: none; stroke: currentcolor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }

.top {
  position: absolute;
  inset: 12px 12px auto;
  display: flex;
  align-items: center;
  justify-content: space-between;
  gap: 12px;
  pointer-events: none;
}
.top > * { pointer-events: auto; }
.state {
  display: flex;
  align-items: center;
  gap: 8px;
  margin: 0;
  padding: 6px 14px;
  font-size: 14px;
  border-radius: 99px;
  background: var(--glass);
}
.state::before { content: ""; inline-size: 8px; block-size: 8px; border-radius: 50%; background: #f2c66d; }
[data-state="live"] .state::before { background: #7fd6a2; }
[data-state="paused"] .state::before { background: var(--words); }
.stop { margin-inline-start: auto; }
.round {
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 48px;
  block-size: 48px;
  padding: 0;
  border-radius: 50%;
  background: var(--glass);
}
.round svg { inline-size: 22px; block-size: 22px; }

.foreground {
  position: absolute;
  inset: auto 0 0;
  max-block-size: 100%;
  overflow-y: auto;
  display: flex;
  flex-direction: column;
  align-items: center;
  gap: 12px;
  padding: 40px 16px 18px;
  text-align: center;
  background: linear-gradient(to top, rgb(12 7 8 / 62%), transparent);
  scrollbar-width: none;
}
:is([data-state="idle"], [data-state="failed"], [data-state="ended"]) .foreground {
  inset: 0;
  justify-content: safe center;
  background: none;
}

.intro { display: grid; justify-items: center; gap: 6px; max-inline-size: 30ch; }
.frame:has(.message:not([hidden])) .intro { display: none; }
.fan { inline-size: min(200px, 58%); margin-block-end: 14px; stroke: none; }
.lacquer { fill: var(--accent); }
.fan g:is(:nth-child(1), :nth-child(5)) .lacquer { fill: color-mix(in srgb, var(--accent) 55%, #1c0408); }
.fan g:is(:nth-child(2), :nth-child(4)) .lacquer { fill: color-mix(in srgb, var(--accent) 62%, #f7cdbf); }
.gleam { fill: #fff; opacity: 0.42; }
.title { font-size: 1.35em; line-height: 1.2; text-wrap: balance; }
.text { opacity: 0.82; text-wrap: balance; }
.buttons { display: flex; flex-wrap: wrap; justify-content: center; gap: 10px; margin-block-start: 8px; }
.primary, .secondary {
  display: inline-flex;
  align-items: center;
  justify-content: center;
  min-block-size: 48px;
  padding: 0 24px;
  border-radius: 99px;
  text-decoration: none;
}
.primary { color: var(--on-accent); background: var(--accent); }
.secondary { color: var(--words); background: var(--glass); box-shadow: inset 0 0 0 1px rgb(255 255 255 / 22%); }

.message {
  display: grid;
  justify-items: center;
  gap: 4px;
  max-inline-size: 36ch;
  padding: 14px 18px;
  border-radius: min(var(--radius), 18px);
  background: var(--glass);
}
.message span { font-size: 15px; opacity: 0.9; }
.message .secondary { margin-block-start: 8px; }
.hint { margin: 0; padding: 6px 14px; border-radius: 99px; font-size: 15px; background: var(--glass); }
.hint:empty { display: none; }

.bar { display: grid; grid-template-columns: 1fr auto 1fr; align-items: center; gap: 22px; }
.bar .pause { justify-self: end; }
.shutter {
  inline-size: 68px;
  block-size: 68px;
  padding: 0;
  border-radius: 50%;
  border: 4px solid var(--words);
  background: var(--words) content-box;
  padding: 4px;
  transition: padding 0.15s;
}
.shutter:active { padding: 9px; }

/* What shows in which state. */
:is([data-state="idle"], [data-state="failed"], [data-state="ended"]) :is(.bar, .hint, .state, .stop) { display: none; }
:is([data-state="starting"], [data-state="connecting"]) .bar { display: none; }
.frame:not([data-state="idle"]) .intro,
.frame:not([data-state="idle"], [data-state="failed"], [data-state="ended"]) .foreground > .buttons { display: none; }
.frame[data-controls="false"] :is(.bar, .buttons, .stop, .intro) { display: none; }
.frame[data-controls="false"] .choice { display: none; }

.photo {
  position: absolute;
  inset: 0;
  display: flex;
  flex-direction: column;
  align-items: center;
  justify-content: center;
  gap: 12px;
  padding: 16px;
  background: var(--background);
}
.photo canvas { min-block-size: 0; max-inline-size: 100%; border-radius: min(var(--radius), 14px); object-fit: contain; }

.choice { flex: none; min-inline-size: 0; color: inherit; }
.families-row, .strip {
  mask-image: linear-gradient(90deg, transparent, #000 14px calc(100% - 14px), transparent);
}
.families-row { display: flex; overflow-x: auto; padding-inline: 14px; scrollbar-width: none; }
.families { display: flex; }
.chip {
  flex: none;
  min-block-size: 44px;
  min-inline-size: 44px;
  padding: 0 12px;
  border: 4px solid transparent;
  border-radius: 99px;
  background: none padding-box;
  font-size: 14.5px;
  font-weight: 500;
  white-space: nowrap;
}
.chip[aria-checked="true"] { background-color: color-mix(in srgb, currentcolor 13%, transparent); font-weight: 650; }
.strip {
  display: flex;
  gap: 2px;
  overflow-x: auto;
  padding: 4px 14px 0;
  scrollbar-width: none;
  overscroll-behavior-x: contain;
}
.choice :focus-visible { outline-color: currentcolor; outline-offset: -3px; }
.design {
  flex: none;
  inline-size: 84px;
  padding: 6px 4px;
  border-radius: 14px;
  background: none;
  font-size: 12.5px;
  font-weight: 500;
  line-height: 1.25;
}
.swatch {
  position: relative;
  display: block;
  inline-size: 64px;
  block-size: 64px;
  margin: 0 auto 6px;
  overflow: hidden;
  border-radius: 50%;
  background: #e6d8cf;
}
.design[aria-checked="true"] .swatch { outline: 2.5px solid currentcolor; outline-offset: 2.5px; }
.design[aria-checked="true"] .design-name { font-weight: 700; }
.design-name {
  display: -webkit-box;
  overflow: hidden;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
  min-block-size: 2.5em;
  text-align: center;
}
.swatch .nail {
  position: absolute;
  inset: 12px 20px 10px;
  border-radius: 50% 50% 44% 44% / 62% 62% 34% 34%;
  background: linear-gradient(160deg, var(--accent), var(--base) 60%);
}
.swatch img { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: cover; opacity: 0; }
.swatch img.loaded { opacity: 1; }

@container (min-width: 700px) {
  .layout { flex-direction: row; align-items: stretch; gap: 20px; }
  .stage { aspect-ratio: var(--nail-try-on-aspect, 4 / 3); }
  .choice {
    display: flex;
    flex-direction: column;
    inline-size: 296px;
    contain: size; /* as high as the picture, and scrolling, however many designs there are */
  }
  .families-row { flex: none; }
  .strip {
    flex: 1 1 auto;
    flex-wrap: wrap;
    align-content: flex-start;
    min-block-size: 0;
    overflow: hidden auto;
    padding: 8px 0;
    scrollbar-width: thin;
    mask-image: linear-gradient(transparent, #000 8px calc(100% - 20px), transparent);
  }
  .design { inline-size: 94px; }
}

@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { transition: none !important; scroll-behavior: auto !important; }
}
@media (forced-colors: active) {
  .design[aria-checked="true"] .swatch, .chip[aria-checked="true"] { outline: 3px solid Highlight; }
  .shutter { background: ButtonText content-box; forced-color-adjust: none; }
}
`;
