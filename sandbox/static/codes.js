// SMS codes in the mini-program: asking for one, and what proves that this phone asked for it.

import { h, state, values } from "./lib.js";
import { api, button, clearProblem, loginCode } from "./mini.js";

// The challenge that came with the last code. The phone keeps it: the code is this phone's alone, and next time it is known.
const kept = () => `challenge-${state.person.person}`;
const challenge = () => {
  const value = localStorage.getItem(kept());
  return value ? { challenge: value } : {};
};

// What goes with a code that is used.
export const proof = (form) => ({ sms_code: values(form).sms_code.trim(), ...challenge() });

// Ask for a code as this WeChat account, on this phone.
export async function sendCode(wanted) {
  const sent = await api("POST", "sms-codes", { ...wanted, wechat_code: await loginCode(), ...challenge() });
  if (sent.challenge) localStorage.setItem(kept(), sent.challenge);
  return sent;
}

// A field for the code with a button that asks for it; `send` makes the call.
export function codeRow(send) {
  const note = h("p", { class: "soft", role: "status" });
  return h("div", {}, h("div", { class: "row" },
    h("input", { name: "sms_code", placeholder: "短信验证码", inputmode: "numeric", autocomplete: "off", maxlength: 6, "aria-label": "短信验证码" }),
    button("获取验证码", async () => {
      const sent = await send();
      note.textContent = `验证码已发送${sent.phone ? `至 ${sent.phone}` : ""}，${sent.minutes}分钟内有效，请看短信。`;
      clearProblem();
    }, "plain")), note);
}
