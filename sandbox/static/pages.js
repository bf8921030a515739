// The mini-program's pages around a matter: logging in, registering, home, services, messages.

import { accountLink } from "./account.js";
import { codeRow, proof, sendCode } from "./codes.js";
import { dialogueLink } from "./dialogue.js";
import { bookingLink } from "./exam_booking.js";
import { examLinks, examsPage } from "./exams.js";
import { card, empty, h, moment, state, values } from "./lib.js";
import { matterPage } from "./matter.js";
import { api, button, keepToken, loginCode, open, redraw, restart, token } from "./mini.js";

// Kinds of service nobody begins here, and who does.
const NOT_ONLINE = { window: { tag: "到窗口办", say: "本人带身份证原件到窗口办，不能在网上办。" }, enrolment: { tag: "由驾校报名", say: "由驾校或车管所窗口为您报名，不能自己在网上报。" } };

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
    examLinks(),
    await serviceList(),
  ];
}

// What the phone calls itself in the list of devices.
const device = () => ({ device: `${state.person.name}的手机` });

// `submit` gives what the service answers. Where another WeChat is bound, a date of a document is asked for and sent with the same code.
function personForm(purpose, fields, submitLabel, submit) {
  const fact = h("div", {});
  const form = h("form", { onsubmit: (event) => { event.preventDefault(); send.click(); } },
    state.identity ? button(`填入${state.identity.name}的资料`, () => fillIn(form), "chip data") : null, fields,
    codeRow(() => {
      const { id_number, phone } = values(form);
      return sendCode({ id_number, purpose, ...(phone === undefined ? {} : { phone }) });
    }), fact);
  const send = button(submitLabel, async () => {
    try {
      await enter(await submit({ ...values(form), ...proof(form), ...device(), wechat_code: await loginCode() }));
    } catch (error) {
      if (error.value?.code === "id-fact-needed" && !form.elements.id_fact) {
        fact.append(input(error.value.params?.fact || "证件上的日期", "id_fact", { required: true, placeholder: "例如 2031-05-02" }));
        form.elements.id_fact.focus();
      }
      throw error;
    }
  }, "wide");
  form.append(send);
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
    (given) => api("POST", "registrations", { ...given, privacy_version: notice.version }))];
}

const idLoginPage = async () => [
  h("h2", {}, "身份证号登录"),
  personForm("login", [input("身份证号", "id_number", { required: true, maxlength: 18 })], "登录",
    (given) => api("POST", "login/id-number", given)),
];

async function serviceList() {
  const services = await api("GET", "services");
  return h("div", {}, h("h3", {}, "可办事项"), services.map((one) => link(one.title, "", one.status === "open" ? NOT_ONLINE[one.kind]?.tag || one.status_label : one.status_label, () => open(servicePage, one.code))));
}

const BOOKING = "exam-booking";
export async function home() {
  const [me, every, dialogue, list] = await Promise.all([api("GET", "me"), api("GET", "matters"), api("GET", "dialogue"), serviceList()]);
  // Bookings are told apart by day and subject; those that are over stand under 预约考试.
  const matters = every.filter((one) => one.service !== BOOKING);
  const bookings = matters.length < every.length ? (await api("GET", "bookings")).filter((one) => one.live) : [];
  return [
    card(h("h2", {}, me.name), h("p", { class: "soft number" }, `${me.id_number}　${me.phone}`),
      (me.alerts || []).length ? h("p", {}, h("b", {}, "您的登录有新情况，请看“我的账户”。")) : null,
      h("p", {}, (me.tier_labels || []).map((label) => [h("span", { class: "tag" }, label), " "])),
      (me.licences || []).map((one) => h("p", {}, `驾驶证 ${one.vehicle_class}　${one.status}　有效期至 ${one.valid_until}`, one.bound ? "" : "（未绑定）",
        one.deferral ? h("span", { class: "soft block" }, one.deferral) : null))),
    dialogueLink(dialogue),
    examLinks(),
    h("h3", {}, "我的办件"),
    bookings.map(bookingLink),
    matters.length || bookings.length ? matters.map((one) => link(one.title, one.number, one.state_label, () => open(matterPage, one.number))) : empty("还没有办件。在下面选一项开始。"),
    list,
    h("div", { class: "actions" }, accountLink(), button("消息", () => open(noticesPage), "plain"), button("刷新", redraw, "plain"),
      button("退出登录", signOut, "plain")),
  ];
}

async function signOut() {
  await api("DELETE", "login");
  keepToken(null);
  await restart(loginPage);
}

async function noticesPage() {
  const notices = await api("GET", "notices");
  return [h("h2", {}, "消息"),
    notices.length ? notices.map((one) => card(h("b", {}, one.title), h("p", {}, one.text), h("p", { class: "soft" }, `${moment(one.at)}　${one.state_label}`))) : empty("还没有消息。")];
}

async function servicePage(code) {
  const one = await api("GET", `services/${code}`);
  const items = (title, lines) => (lines?.length ? [h("h3", {}, title), h("ul", {}, lines.map((line) => h("li", {}, line)))] : []);
  const limit = one.time_limit ? [`${one.time_limit.value} ${one.time_limit.unit}（${one.time_limit.source}）`] : [];
  return [h("h2", {}, one.title),
    NOT_ONLINE[one.kind] ? card(h("b", {}, NOT_ONLINE[one.kind].say)) : one.kind === "booking" ? button("去预约", () => open(examsPage), "wide") : token()
      ? button("开始办理", async () => open(matterPage, (await api("POST", "matters", { service: code })).number), "wide")
      : button("登录后办理", () => restart(loginPage), "wide"),
    card(items("谁可以办", one.who ? [one.who] : []), items("条件", one.conditions), items("材料", one.materials.map((m) => `${m.label}${m.required ? "" : "（视情况）"}：${m.shows}`)),
      items("步骤", one.steps), items("时限", limit), items("费用", one.fee ? [one.fee] : []), items("依据", one.law))];
}
