// Who holds the phone: the demo registry's people to choose from, or somebody of one's own.

import { $, ask, h, json, state, values } from "./lib.js";

// No phone is on file for people without licence or vehicle: any number will do.
const phoneOf = (one) => one.phone || `1391${one.id_number.slice(10, 17)}`;

function demoCard(one, choose) {
  return h("button", { class: "person plain", type: "button", onclick: () => choose({ name: one.name, phone: phoneOf(one) }) },
    h("b", {}, one.name), one.first ? h("span", { class: "tag" }, "从这里开始") : null,
    h("span", { class: "soft" }, one.about), h("span", { class: "soft number" }, `${one.id_number}　${one.phone || "未登记手机号"}`));
}

function ownForm(choose) {
  return h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); choose(values(event.target)); } },
    h("input", { name: "name", placeholder: "微信昵称", maxlength: 20, "aria-label": "微信昵称" }),
    h("input", { name: "phone", placeholder: "手机号", inputmode: "numeric", maxlength: 11, pattern: "1[3-9][0-9]{9}", required: true, "aria-label": "手机号" }),
    h("button", { class: "plain" }, "自己填一位"));
}

function chooser(choose) {
  return [h("div", { class: "people" }, state.demo.people.map((one) => demoCard(one, choose))),
    h("p", { class: "soft" }, "也可以用登记以外的手机号，看看“手机号不符”怎么办："), ownForm(choose)];
}

// The steps of the story, for somebody who has never seen the page.
export function guide() {
  const desk = h("a", { href: `${state.demo.service}/desk/`, target: "_blank" }, "工作台");
  const steps = ["选一位演示市民，点聊天右上角的“关注”。",
    "说“延期换证”，按提示注册。绿色小按钮会替您打字，验证码在中间的短信栏。",
    [desk.cloneNode(true), "：用郑州的民警账号登录（账号和密码印在启动平台的终端里），“面签注册”查身份证号，打勾，确认。"],
    "回到聊天再说“延期换证”：填事由、日期，发一张示例照片。",
    "右边的小程序用身份证号登录，打开草稿：照片都在。补上证明，提交，允许订阅消息；提交后可再订阅一次，一次一条。",
    [desk.cloneNode(true), "：打开这件，退回补正，点名两处问题。"],
    "手机收到订阅消息；在小程序里改好，再提交。",
    [desk.cloneNode(true), "：批准。短信里告知结果。"],
    "约驾考：换成周雨欣（驾考学员），在小程序里用身份证号登录，点“预约考试”。"];
  return h("ol", {}, steps.map((step) => h("li", {}, step)));
}

export function showGuide() {
  return ask((choose) => [h("h2", {}, "用鼠标走完一件“延期换证”"), guide(),
    h("div", { class: "row end" }, h("button", { onclick: () => choose() }, "知道了"))]);
}

export async function addPerson(added) {
  const wish = await ask((choose) => [h("h2", {}, "换一位市民"), chooser(choose)], null);
  if (wish) await join(wish, added);
}

export function showWelcome(added) {
  $("welcome").replaceChildren(
    h("div", {}, h("h2", {}, "选一位演示市民，拿起他的手机"), h("p", { class: "soft" }, "人物、证件号和手机号都是编的。资料已导入平台的演示登记库。"), chooser((wish) => join(wish, added))),
    h("div", {}, h("h2", {}, "接下来做什么"), guide()));
}

async function join(wish, added) {
  const people = await json("GET", "/sandbox/people");
  const there = people.find((one) => one.phone === wish.phone);
  const made = there || await json("POST", "/sandbox/people", { ...wish, follow: false });
  await added(made.person);
}

// Whose data the shortcuts type: the demo person with this phone, unless another one was chosen.
export function identify() {
  const people = state.demo.people;
  state.identity = people.find((one) => state.person && phoneOf(one) === state.person.phone) || people[0] || null;
}
