// The mini-program's frame: calls of the service through /mini/, problems in words, moving between pages.

import { $, h, json, mine, state } from "./lib.js";

const tokenKey = () => `token-${state.person?.person}`;
export const token = () => state.person && localStorage.getItem(tokenKey());
export const keepToken = (value) => (value ? localStorage.setItem(tokenKey(), value) : localStorage.removeItem(tokenKey()));
export const loginCode = async () => (await json("POST", mine("/login-code"), {})).code;

// A login that goes on gets a new token, once for each person since the page was opened.
const renewed = new Set();
export async function renew() {
  if (!token() || renewed.has(state.person.person)) return;
  renewed.add(state.person.person);
  try {
    keepToken((await api("POST", "login/refresh", {})).token);
  } catch (error) {
    // Without an answer the old one stays; one that is worth nothing any more is forgotten by then.
    if (error.value?.status < 500 && error.value?.code !== "not-logged-in") throw error;
  }
}

class Problem extends Error {
  constructor(value) { super(value.detail || "出错了"); this.value = value; }
}

// One call of the service. A write keeps its idempotency key until some answer came, so a repeated tap repeats the same write.
const keys = new Map();
export async function api(method, path, body) {
  const headers = {};
  const upload = body instanceof FormData;
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body !== undefined && !upload) headers["Content-Type"] = "application/json";
  const file = upload ? body.get("file") : null;
  const write = method + path + (file ? [body.get("material"), file.name, file.size, file.lastModified] : JSON.stringify(body));
  if (method !== "GET") {
    if (!keys.has(write)) keys.set(write, crypto.randomUUID());
    headers["Idempotency-Key"] = keys.get(write);
  }
  let answer;
  try {
    answer = await fetch(`/mini/${path}`, { method, headers, body: body === undefined || upload ? body : JSON.stringify(body) });
  } catch {
    throw new Problem({ detail: "网络连接失败", next: "请稍后重试" });
  }
  if (answer.status < 500) keys.delete(write);
  const text = await answer.text();
  let value;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem({ status: answer.status, detail: `服务返回了无法识别的内容（${answer.status}）`, next: "请稍后重试" });
  }
  if (!answer.ok) {
    if (value?.code === "not-logged-in" && token()) keepToken(null);
    throw new Problem(value || { status: answer.status });
  }
  return value;
}

export function showProblem(error) {
  const problem = error instanceof Problem ? error.value : { detail: error.message };
  const parts = problem.params?.fields || problem.params?.parts || [];
  const lines = Array.isArray(parts) ? parts.filter((one) => one?.reason && !problem.detail?.includes(one.reason)).map((one) => h("p", {}, `${one.label}：${one.reason}`)) : [];
  clearProblem();
  $("page").prepend(h("div", { class: "card error", role: "alert" }, h("b", {}, problem.detail || "出错了"), lines,
    problem.next ? h("p", {}, problem.next) : null, h("p", { class: "code" }, [problem.status, problem.code].filter(Boolean).join(" "))));
  $("page").scrollTop = 0;
}
export const clearProblem = () => $("page").querySelector("[role=alert]")?.remove();

// A button that runs something once at a time and shows what went wrong.
let busy = 0;
export function button(label, work, kind = "") {
  return h("button", { type: "button", class: kind, onclick: async (event) => {
    const node = event.currentTarget;
    node.disabled = true;
    busy += 1;
    try { await work(); } catch (error) { showProblem(error); } finally { node.disabled = false; busy -= 1; }
  } }, label);
}

// ---------------------------------------------------------------- pages: functions that give nodes
let trail = [];
let drawing = 0;
let firstPage;
export const beginWith = (page) => { firstPage = page; };
export const restart = (page = firstPage) => { trail = []; return open(page); };
export async function open(page, ...given) {
  trail.push([page, given]);
  await redraw();
}
export async function back() {
  trail.pop();
  await redraw();
}

export async function redraw() {
  const place = $("page");
  if (!trail.length) return;
  const [page, given] = trail.at(-1);
  const mark = ++drawing;
  $("back").style.visibility = trail.length > 1 ? "visible" : "hidden";
  let nodes;
  let problem = null;
  place.setAttribute("aria-busy", "true");
  try {
    nodes = await page(...given);
  } catch (error) {
    problem = error;
    nodes = [button("重试", redraw, "plain"), !token() && page !== firstPage ? button("重新登录", () => restart(), "plain") : null];
  }
  if (mark !== drawing) return;
  place.removeAttribute("aria-busy");
  // The same page keeps its place, unless what it shows has moved on.
  const shown = [trail.length, page.name, ...given, nodes.flat(Infinity)[0]?.dataset?.mark].join(" ");
  const top = place.dataset.shown === shown ? place.scrollTop : 0;
  place.dataset.shown = shown;
  place.replaceChildren(...nodes.flat(Infinity).filter(Boolean));
  place.scrollTop = top;
  if (problem) showProblem(problem);
}

// Something came to the phone: show the page anew, unless the person is in the middle of something.
export async function refresh() {
  const place = $("page");
  const typing = place.contains(document.activeElement) && /INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName);
  if (token() && !busy && !typing && !$("ask").open && !place.querySelector("[role=alert]") && !place.querySelector("[name=sms_code]")) await redraw();
}
