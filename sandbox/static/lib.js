// What every part of the page uses: elements, calls of the sandbox, the state shared between the columns.

export const $ = (id) => document.getElementById(id);

// person: who holds the phone; demo: the demo registry's people, templates and addresses;
// identity: whose data the shortcuts type; code: the newest code that came by SMS.
export const state = { person: null, demo: { people: [], templates: {}, service: "" }, identity: null, code: "" };

// Build an element: h("p", {class: "soft"}, "text", child, ...); functions in props are listeners.
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(name, value);
    else if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export const card = (...children) => h("div", { class: "card" }, ...children);
export const empty = (text) => h("p", { class: "empty" }, text);

// A call of the sandbox itself. Throws an Error with its reason.
export async function json(method, path, body) {
  const answer = await fetch(path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error || answer.statusText);
  return value;
}

export const mine = (rest = "") => `/sandbox/people/${state.person.person}${rest}`;
export const values = (form) => Object.fromEntries(new FormData(form));
export const toEnd = (node) => { node.scrollTop = node.scrollHeight; };

const SHANGHAI = { timeZone: "Asia/Shanghai", hour12: false, hour: "2-digit", minute: "2-digit" };
export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("zh-CN", { ...SHANGHAI, second: "2-digit" });
export const moment = (text) => (text ? new Date(text).toLocaleString("zh-CN", { ...SHANGHAI, year: "numeric", month: "numeric", day: "numeric" }) : "");
export const date = (text) => (text ? new Date(text).toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai" }) : "");

// A calendar day ("2026-12-15") in words, and a moment to come: "12月3日周四 18:00".
export const dayWords = (day) => new Date(day).toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai", month: "long", day: "numeric", weekday: "short" });
export const momentWords = (text) => `${dayWords(text)} ${new Date(text).toLocaleTimeString("zh-CN", SHANGHAI)}`;
export const today = () => new Date().toLocaleDateString("sv", { timeZone: "Asia/Shanghai" });

// Ask in the dialog; `make(choose)` gives its content. Resolves with what was chosen, or with `otherwise` when it was closed.
export function ask(make, otherwise) {
  return new Promise((resolve) => {
    const dialog = $("ask");
    const choose = (result) => { dialog.onclose = null; dialog.close(); resolve(result); };
    dialog.onclose = () => resolve(otherwise);
    dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
    dialog.replaceChildren(...[make(choose)].flat(Infinity).filter(Boolean));
    dialog.showModal();
  });
}

// Ask whether something is to be done; what it does stands on the button.
export function sure(question, { yes = "确定", no = "取消", kind = "" } = {}) {
  const said = Array.isArray(question) ? question : [h("p", {}, question)];
  return ask((choose) => [said, h("div", { class: "row end" }, h("button", { class: "plain", onclick: () => choose(false) }, no), h("button", { class: kind, onclick: () => choose(true) }, yes))], false);
}
