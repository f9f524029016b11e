/** A shop's own page in TypeScript, as a developer would write it. Compiled by types.test.js, never run. */

import { TryOn, TryOnError, type Design, type Photo } from "../../../web/try-on.js";
import { NailTryOn } from "../../../web/nail-try-on.js";

const tryOn = new TryOn({ url: new URL("https://tryon.example"), token: async () => "a JWT", transport: "auto" });

export async function page(container: HTMLElement, canvas: HTMLCanvasElement): Promise<string> {
  const element: HTMLElement = tryOn.attach(container);
  tryOn.addEventListener("state", ({ detail }) => (element.title = `${detail.from} → ${detail.state}`));
  tryOn.addEventListener("problem", ({ detail }) => alert(`${detail.title} ${detail.text} ${detail.error.status ?? ""}`));
  tryOn.addEventListener("metadata", ({ detail }) => detail.nails.map((nail) => nail.polygon[0]?.[0] ?? 0));
  const [first]: Design[] = await tryOn.designs();
  try {
    await tryOn.start({ source: canvas.captureStream(30), design: first?.id, mirror: false });
  } catch (error) {
    if (error instanceof TryOnError) return error.code;
    throw error;
  }
  tryOn.wear({ finish: "chrome", colour: "#c0a060", fingers: { ring: { nail: 0 }, thumb: null } });
  const photo: Photo = await tryOn.capture();
  const { image_url: address } = await tryOn.save(photo, { basket: 17 });
  tryOn.close();
  return address;
}

export function element(): NailTryOn | null {
  const found = document.querySelector("nail-try-on"); // HTMLElementTagNameMap knows what it is
  const made: NailTryOn = document.createElement("nail-try-on");
  made.design = found?.design ?? 20;
  made.token = () => "a JWT";
  made.designs = [1, 6, 20];
  made.addEventListener("capture", (event) => event.detail.blob.size > 0 && event.preventDefault());
  made.addEventListener("click", ({ clientX }) => clientX);
  // @ts-expect-error a design is a number
  made.design = "red";
  // @ts-expect-error Americans, too, write colour here
  tryOn.wear({ color: "#ff0000" });
  // @ts-expect-error there is no such event
  tryOn.addEventListener("state", ({ detail }) => detail.nothing);
  return found;
}
