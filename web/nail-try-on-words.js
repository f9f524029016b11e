/** What the element `<nail-try-on>` says of its own; states, hints and errors have their words elsewhere. */

export const WORDS = {
  picture: "Live picture",
  title: "Try it on your own nails",
  text: "Hold up your hand and see it live. Nothing is recorded.",
  start: "Start camera",
  demo: "Use a demo hand",
  stop: "End the try-on",
  pause: "Pause",
  resume: "Go on",
  capture: "Take a photo",
  switch: "Other camera",
  designs: "Designs",
  families: "Families",
  photo: "Your photo",
  download: "Download",
  close: "Close",
  retry: "Try now",
  allow: "Allow the camera if your browser asks",
};
