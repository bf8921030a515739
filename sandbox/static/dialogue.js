// The chat's dialogue, gone on with in the mini-program: the same question, answered here.

import { card, h, values } from "./lib.js";
import { matterPage } from "./matter.js";
import { api, button, open, redraw } from "./mini.js";

// The line of the home page that leads here, when the chat was left in the middle of something.
export const dialogueLink = (dialogue) => (dialogue.flow === "menu" ? null
  : h("button", { class: "card link plain", type: "button", onclick: () => open(dialoguePage) },
    h("span", {}, "接着聊天里的问题", h("span", { class: "soft" }, dialogue.text.split("\n")[0])), h("span", { class: "tag" }, "继续")));

let said = "";
export async function dialoguePage() {
  const now = await api("GET", "dialogue");
  const words = said || now.text;
  said = "";
  const form = h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); send.click(); } },
    h("input", { name: "text", placeholder: "回答或输入要办的事", autocomplete: "off", "aria-label": "对话里的回答" }));
  const answer = async (text) => { said = (await api("POST", "dialogue", { text })).said; await redraw(); };
  const send = button("回答", () => answer(values(form).text));
  form.append(send);
  return [h("h2", {}, "和公众号的对话"), card(h("p", { class: "words" }, words), form),
    h("div", { class: "actions" }, now.number ? button("打开这件", () => open(matterPage, now.number), "plain") : null,
      now.flow === "menu" ? null : button("继续", () => answer("继续"), "plain"))];
}
