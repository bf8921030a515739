// The chat with the official account and the SMS inbox: what came, the account's menu, and shortcuts that type.

import { $, clock, empty, h, json, mine, state, toEnd } from "./lib.js";
import { chooseSample } from "./samples.js";

const EVENTS = { subscribe: "您关注了公众号", unsubscribe: "您取消了关注", CLICK: "点击菜单：", VIEW: "打开网页：", SCAN: "扫码" };
const VIAS = { "customer-service": "客服消息", template: "模板消息", subscribe: "小程序订阅消息" };
const KINDS = { voice: "语音", video: "视频", location: "位置", link: "链接" };

const seen = { chat: [], chatLength: -1, smsLength: -1, menu: "", waiting: 0 };
let onNews = () => {};

// Begin anew for another person.
export function forget() { Object.assign(seen, { chat: [], chatLength: -1, smsLength: -1 }); state.code = ""; }

function bubble(entry) {
  let body = entry.text || "";
  let kind = entry.from === "person" ? "mine" : "";
  if (entry.type === "event") {
    kind = "event";
    body = (EVENTS[entry.event] || entry.event) + (entry.event === "CLICK" || entry.event === "VIEW" ? entry.text : "");
  } else if (entry.broken) kind = "broken";
  else if (entry.type === "image") body = picture(entry.media_id);
  else if (entry.lines) body = [h("b", {}, entry.title), ...entry.lines.map(([label, value]) => h("p", {}, h("span", { class: "soft" }, `${label}：`), value))];
  else if (entry.articles) body = entry.articles.map((one) => h("p", {}, h("b", {}, one.title), h("br"), one.description || ""));
  else if (entry.type !== "text") body = `[${KINDS[entry.type] || entry.type}] ${body}`;
  const via = VIAS[entry.via] ? h("span", { class: "via" }, VIAS[entry.via]) : null;
  return h("div", { class: `bubble ${kind} ${entry.via === "subscribe" ? "notice" : ""}` }, via, body);
}

function picture(media) {
  const image = h("img", { src: `/sandbox/media/${media}`, alt: "照片" });
  // No browser shows HEIC, and some files only call themselves photos.
  image.addEventListener("error", () => image.replaceWith(h("span", { class: "no-photo" }, "文件（无法预览）")));
  return image;
}

function withTimes(entries, make) {
  let last = 0;
  return entries.flatMap((entry) => {
    const head = entry.at - last > 60 ? [h("div", { class: "time" }, clock(entry.at))] : [];
    last = entry.at;
    return [...head, make(entry)];
  });
}

function smsBubble(one) {
  const code = one.params?.code;
  return h("div", { class: "bubble" }, one.text, code ? h("div", {}, h("button", { type: "button", class: "plain small", onclick: () => useCode(code) }, "填入这个验证码")) : null);
}

// Like a phone's keyboard: the code goes where a code is asked for.
function useCode(code) {
  const place = $("page").querySelector("[name=sms_code]") || $("say").text;
  place.value = code;
  place.focus();
}

// Look at the phone. Calls `news` of `connectChat` when something came since the last look.
export async function poll() {
  if (!state.person) return;
  const [person, chat, menu] = await Promise.all([json("GET", mine()), json("GET", mine("/chat")), json("GET", "/sandbox/menu")]);
  const sms = person.phone ? await json("GET", `/sandbox/phones/${person.phone}/sms`) : [];
  if (person.person !== state.person.person) return;
  const first = seen.chatLength < 0;
  const news = chat.length !== seen.chatLength || sms.length !== seen.smsLength;
  const followed = person.follows !== state.person.follows;
  state.person = person;
  $("follow").textContent = person.follows ? "取消关注" : "关注";
  $("follow").className = person.follows ? "plain small" : "small";
  $("say").hidden = $("shortcuts").hidden = !person.follows;
  $("menu").hidden = !person.follows || !menu.button.length;
  if (sms.length !== seen.smsLength) showInbox(sms);
  if (chat.length !== seen.chatLength || followed) showChat(chat, person);
  drawMenu(menu.button);
  if (news) {
    drawShortcuts();
    toEnd($("chat"));
  }
  if (news && !first) onNews();
}

function showChat(chat, person) {
  seen.chat = chat;
  seen.chatLength = chat.length;
  $("chat").replaceChildren(...withTimes(chat, bubble));
  if (!chat.length) $("chat").append(empty(person.follows ? "发一句话，开始办事。" : "点右上角“关注”，开始使用公众号。"));
  if (seen.waiting) $("chat").append(h("div", { class: "bubble event" }, "对方正在输入…"));
  toEnd($("chat"));
}

function showInbox(sms) {
  seen.smsLength = sms.length;
  state.code = sms.findLast((one) => one.params?.code)?.params.code || "";
  $("inbox").replaceChildren(...withTimes(sms, smsBubble));
  if (!sms.length) $("inbox").append(empty("验证码和办理结果会发到这里。"));
  toEnd($("inbox"));
}

function drawMenu(buttons) {
  const text = JSON.stringify(buttons);
  if (text === seen.menu) return;
  seen.menu = text;
  const tap = (button) => h("button", { type: "button", onclick: () => send("/event", button.type === "click"
    ? { event: "CLICK", key: button.key, label: button.name } : { event: "VIEW", key: button.url || "", label: button.name }) }, button.name);
  $("menu").replaceChildren(...buttons.map((button) => button.sub_button?.length
    ? h("details", { onclick: (event) => event.target.tagName === "BUTTON" && event.currentTarget.removeAttribute("open") },
      h("summary", {}, `≡ ${button.name}`), h("div", {}, button.sub_button.map(tap)))
    : h("div", {}, tap(button))));
}

// ---------------------------------------------------------------- shortcuts: the story with the mouse alone
const ANYTIME = ["延期换证", "预约考试", "取消预约考试", "进度", "菜单"].map((word) => [word, word]);

// What the last answer offers: its numbered choices, the words it puts in “ ” after 回复, its example.
function offered() {
  const last = seen.chat.findLast((one) => one.from !== "person" && one.type === "text" && one.via !== "subscribe")?.text || "";
  const numbers = [...last.matchAll(/^(\d{1,2})\. (.+)$/gm)].map(([, number, label]) => [number, `${number} ${label}`]);
  const words = [...last.matchAll(/回复“([^”]{1,6})”|说要办的事，例如“([^”]+)”/g)].map((found) => found[1] || found[2]);
  const example = [...last.matchAll(/^例如：([^。\n]+)/gm)].map((found) => found[1]);
  const said = [...new Set([...example, ...words])].map((word) => [word, word]);
  if (numbers.length) return [...numbers, ...words.map((word) => [word, word])].slice(0, 9);
  return said.length || last.includes("请发照片") ? said : ANYTIME;
}

export function drawShortcuts() {
  const one = state.identity;
  const chip = (label, text, kind = "") => h("button", { type: "button", class: `chip ${kind}`, title: text, onclick: () => say(text) }, label);
  const who = h("select", { "aria-label": "用谁的资料", onchange: (event) => { state.identity = state.demo.people[event.target.value]; drawShortcuts(); } },
    state.demo.people.map((other, index) => h("option", { value: index, selected: other === one }, other.name)));
  $("shortcuts").replaceChildren(
    h("div", {}, offered().map(([text, label]) => chip(label, text))),
    one ? h("div", {}, who, chip("身份证号", one.id_number, "data"), chip("姓名", one.name, "data"),
      chip("手机号", state.person.phone, "data"), state.code ? chip(`验证码 ${state.code}`, state.code, "data") : null) : "");
}

// ---------------------------------------------------------------- what the person does
async function during(work) {
  seen.waiting += 1;
  setTimeout(() => { if (seen.waiting) seen.chatLength = -2; poll().catch(failed); }, 80);
  try { await work(); } catch (error) { failed(error); } finally {
    seen.waiting -= 1;
    seen.chatLength = -2;
    await poll().catch(failed);
  }
}
const failed = (error) => { $("number").textContent = `没有发出：${error.message}`; };
const send = (path, body) => during(() => json("POST", mine(path), body));
const say = (text) => send("/say", { text });
const show = (file) => during(() => {
  const form = new FormData();
  form.append("file", file);
  return fetch(mine("/image"), { method: "POST", body: form });
});

export function connectChat(news) {
  onNews = news;
  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = event.target.text.value.trim();
    event.target.reset();
    if (text) say(text);
  });
  $("follow").addEventListener("click", () => send("/event", { event: state.person.follows ? "unsubscribe" : "subscribe" }));
  $("photo").addEventListener("change", (event) => {
    const file = event.target.files[0];
    event.target.value = "";
    if (file) show(file);
  });
  $("sample").addEventListener("click", async () => {
    const file = await chooseSample();
    if (file) await show(file);
  });
}
