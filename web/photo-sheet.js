/** The photo just taken: a look at it, download, and the phone's share sheet where there is one. */

/**
 * @param {HTMLDialogElement} dialog
 * @returns {(blob: Blob, name: string) => Promise<void>} shows one photo
 */
export function photoSheet(dialog) {
  const image = /** @type {HTMLImageElement} */ (dialog.querySelector("#photo-image"));
  const download = /** @type {HTMLAnchorElement} */ (dialog.querySelector("#download"));
  const share = /** @type {HTMLButtonElement} */ (dialog.querySelector("#share"));
  const close = /** @type {HTMLButtonElement} */ (dialog.querySelector("#photo-close"));
  /** @type {File | null} */
  let file = null;

  close.onclick = () => dialog.close();
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close(); // a touch beside the sheet
  });
  dialog.onclose = () => URL.revokeObjectURL(image.src);
  share.onclick = () => {
    // The person may close the share sheet again, which is no error.
    if (file) navigator.share({ files: [file], title: "My Lacquer look" }).catch(() => {});
  };

  return async (blob, name) => {
    file = new File([blob], name, { type: blob.type });
    image.src = URL.createObjectURL(blob);
    image.alt = "Your hand wearing the design";
    download.href = image.src;
    download.download = name;
    share.hidden = !navigator.canShare?.({ files: [file] });
    await image.decode().catch(() => {}); // so that the sheet opens at its full size
    dialog.showModal();
    download.focus();
  };
}
