// Turn a message's text into nodes. Nothing a user wrote is ever parsed as HTML.

const LINK = /https?:\/\/[^\s<>"']+/g;
// One emoji may be several joined ones, or a flag made of two letters.
const EMOJI =
  /(?:\p{RI}\p{RI}|\p{Extended_Pictographic}(?:[\u{1F3FB}-\u{1F3FF}\uFE0F]|\u200D\p{Extended_Pictographic})*)/u;
const EMOJI_ONLY = new RegExp(`^${EMOJI.source}{1,3}$`, "u");

export const isEmojiOnly = (text) => EMOJI_ONLY.test(text.replaceAll(" ", ""));

/** Fill an element with the text; addresses in it become links. */
export function showText(element, text) {
  element.replaceChildren();
  let shown = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(/[.,;:!?)\]]+$/, "");
    if (!URL.canParse(address)) continue;
    const link = document.createElement("a");
    link.href = address;
    link.textContent = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    element.append(text.slice(shown, match.index), link);
    shown = match.index + address.length;
  }
  element.append(text.slice(shown));
}
