// Get an image ready to be sent: a type the server takes, and small enough.

import { page } from "./page.js";

const TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const SIDES = [1600, 1200, 900, 600];
const QUALITY = 0.85;

/** Answers `{bytes, url, width, height}`; throws an Error with a message for the user. */
export async function prepareImage(file) {
  if (!TYPES.has(file.type)) throw new Error("Only PNG, JPEG, GIF and WebP images can be sent.");
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("This image cannot be read.");
  });
  try {
    const { width, height } = bitmap;
    const fits = file.size <= page.limits.image;
    // Drawing a GIF again would stop it. Photos are always drawn again: where they were taken is not sent.
    if (file.type === "image/gif" && !fits) throw new Error("This GIF is too large.");
    const asItIs = fits && file.type !== "image/jpeg" && Math.max(width, height) <= SIDES[0] * 2;
    if (file.type === "image/gif" || asItIs) return await packed(file, width, height);
    for (const side of SIDES) {
      const drawn = await draw(bitmap, Math.min(1, side / Math.max(width, height)));
      if (drawn.blob.size <= page.limits.image) {
        return await packed(drawn.blob, drawn.width, drawn.height);
      }
    }
  } finally {
    bitmap.close();
  }
  throw new Error("This image is too large.");
}

async function draw(bitmap, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // JPEG has no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  if (!blob) throw new Error("This image cannot be read.");
  return { blob, width: canvas.width, height: canvas.height };
}

async function packed(blob, width, height) {
  return { bytes: await blob.arrayBuffer(), url: URL.createObjectURL(blob), width, height };
}
