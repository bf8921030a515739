// The mini-program's pages around a matter: logging in, registering, home, services, messages.

import { accountLink } from "./account.js";
import { dialogueLink } from "./dialogue.js";
import { h, moment, state, values } from "./lib.js";
import { matterPage } from "./matter.js";
import { api, button, clearProblem, keepToken, loginCode, open, redraw, restart, token } from "./mini.js";

const card = (...children) => h("div", { class: "card" }, ...children);
const link = (title, more, tag, go) => h("button", { class: "card link plain", type: "button", onclick: go },
  h("span", {}, title, more ? h("span", { class: "soft number" }, more) : null), h("span", { class: "tag" }, tag));

function input(label, name, props = {}) {
  return h("label", { class: "field" }, h("span", { class: props.required ? "must" : "" }, label), h("input", { name, autocomplete: "off", ...props }));
}

async function enter(answer) {
  keepToken(answer.token);
  await restart(home);
}

export async function loginPage() {
  return [
    card(h("h2", {}, "欢迎使用便民服务"), h("p", { class: "soft" }, "第一次用请注册。在聊天里或窗口注册过的，先用身份证号登录一次，以后可以微信登录。"),
      h("div", { class: "actions" },
        button("微信登录", async () => enter(await api("POST", "login", { code: await loginCode() }))),
        button("注册", () => open(registerPage), "plain"),
        button("身份证号登录", () => open(idLoginPage), "plain"))),
    await serviceList(),
  ];
}

function personForm(purpose, fields, submitLabel, submit) {
  const note = h("p", { class: "soft" });
  const form = h("form", { onsubmit: (event) => event.preventDefault() },
    state.identity ? button(`填入${state.identity.name}的资料`, () => fillIn(form), "chip data") : null, fields,
    h("div", { class: "row" }, h("input", { name: "sms_code", placeholder: "短信验证码", inputmode: "numeric", autocomplete: "off", "aria-label": "短信验证码" }),
      button("获取验证码", async () => {
        const { id_number, phone } = values(form);
        const sent = await api("POST", "sms-codes", { id_number, purpose, ...(phone === undefined ? {} : { phone }) });
        note.textContent = `验证码已发送${sent?.phone ? `至 ${sent.phone}` : ""}，${sent?.minutes || ""}分钟内有效，请看短信。`;
        clearProblem();
      }, "plain")),
    note);
  form.append(button(submitLabel, () => submit(values(form)), "wide"));
  return card(form);
}

function fillIn(form) {
  for (const name of ["id_number", "name"]) if (form.elements[name]) form.elements[name].value = state.identity[name];
}

async function registerPage() {
  const notice = await api("GET", "privacy");
  return [h("h2", {}, "注册"),
    card(h("p", {}, notice.short), h("p", { class: "soft" }, "点“注册”即表示您已阅读并同意。全文在“我的账户”和公众网页的“个人信息”中。")),
    personForm("register", [input("身份证号", "id_number", { required: true, maxlength: 18 }), input("姓名", "name", { required: true }),
      input("手机号（须为公安机关登记的号码）", "phone", { required: true, value: state.person.phone, inputmode: "numeric" })], "注册",
    async (given) => enter(await api("POST", "registrations", { ...given, privacy_version: notice.version, wechat_code: await loginCode() })))];
}

const idLoginPage = async () => [
  h("h2", {}, "身份证号登录"),
  personForm("login", [input("身份证号", "id_number", { required: true, maxlength: 18 })], "登录",
    async (given) => enter(await api("POST", "login/id-number", { ...given, wechat_code: await loginCode() }))),
];

async function serviceList() {
  const services = await api("GET", "services");
  return h("div", {}, h("h3", {}, "可办事项"), services.map((one) => link(one.title, "", one.status_label || one.status || "", () => open(servicePage, one.code))));
}

export async function home() {
  const [me, matters, dialogue, list] = await Promise.all([api("GET", "me"), api("GET", "matters"), api("GET", "dialogue"), serviceList()]);
  return [
    card(h("h2", {}, me.name), h("p", { class: "soft number" }, `${me.id_number}　${me.phone}`),
      h("p", {}, (me.tier_labels || []).map((label) => [h("span", { class: "tag" }, label), " "])),
      (me.licences || []).map((one) => h("p", {}, `驾驶证 ${one.vehicle_class}　${one.status}　有效期至 ${one.valid_until}`, one.bound ? "" : "（未绑定）",
        one.deferral ? h("span", { class: "soft block" }, one.deferral) : null))),
    dialogueLink(dialogue),
    h("h3", {}, "我的办件"),
    matters.length ? matters.map((one) => link(one.title, one.number, one.state_label, () => open(matterPage, one.number))) : h("p", { class: "empty" }, "还没有办件。在下面选一项开始。"),
    list,
    h("div", { class: "actions" }, accountLink(), button("消息", () => open(noticesPage), "plain"), button("刷新", redraw, "plain"),
      button("退出登录", () => { keepToken(null); return restart(loginPage); }, "plain")),
  ];
}

async function noticesPage() {
  const notices = await api("GET", "notices");
  return [h("h2", {}, "消息"),
    notices.length ? notices.map((one) => card(h("b", {}, one.title), h("p", {}, one.text), h("p", { class: "soft" }, `${moment(one.at)}　${one.state_label}`))) : h("p", { class: "empty" }, "还没有消息。")];
}

async function servicePage(code) {
  const one = await api("GET", `services/${code}`);
  const items = (title, lines) => (lines?.length ? [h("h3", {}, title), h("ul", {}, lines.map((line) => h("li", {}, line)))] : []);
  const limit = one.time_limit ? [`${one.time_limit.value} ${one.time_limit.unit}（${one.time_limit.source}）`] : [];
  return [h("h2", {}, one.title),
    token()
      ? button("开始办理", async () => open(matterPage, (await api("POST", "matters", { service: code })).number), "wide")
      : button("登录后办理", () => restart(loginPage), "wide"),
    card(items("谁可以办", one.who ? [one.who] : []), items("条件", one.conditions), items("材料", one.materials.map((m) => `${m.label}${m.required ? "" : "（视情况）"}：${m.shows}`)),
      items("步骤", one.steps), items("时限", limit), items("费用", one.fee ? [one.fee] : []), items("依据", one.law))];
}
