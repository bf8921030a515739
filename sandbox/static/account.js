// The citizen's account in the mini-program: devices, WeChat, vehicles, relatives, privacy, closing.

import { codeRow, proof, sendCode } from "./codes.js";
import { ask, card, date, empty, h, moment, state, sure, values } from "./lib.js";
import { api, back, button, keepToken, open, redraw, restart } from "./mini.js";

const row = (title, more, ...actions) => card(h("b", {}, title), more ? h("p", { class: "soft" }, more) : null, h("div", { class: "actions" }, actions));
const APPS = { official: "公众号", mini: "小程序" };

// A form for a code and what it confirms; Enter does what its button does.
const form = (...children) => h("form", { onsubmit: (event) => { event.preventDefault(); event.target.lastElementChild.click(); } }, children);

export const accountLink = () => button("我的账户", () => open(accountPage), "plain");

export async function accountPage() {
  const me = await api("GET", "me");
  const door = (title, more, page) => h("button", { class: "card link plain", type: "button", onclick: () => open(page) }, h("span", {}, title, h("span", { class: "soft" }, more)));
  return [h("h2", {}, "我的账户"), (me.alerts || []).map((text) => card(h("b", {}, text))),
    door("登录的设备和微信", `微信：${me.wechat.map((app) => APPS[app] || app).join("、") || "未绑定"}`, devicesPage),
    door("我的车", "查看和解绑", vehiclesPage),
    door("家人代办", "委托家人，或接受家人的委托", mandatesPage),
    door("个人信息说明", me.privacy.newer_waits ? "有新的版本，请阅读" : "保存了什么、为什么、保存多久", privacyPage),
    door("导出我的信息", "下载平台保存的关于您的全部信息", exportPage),
    door("注销账户", "依法须保存的除外，其余删除", closingPage)];
}

async function devicesPage() {
  const [devices, me] = await Promise.all([api("GET", "devices"), api("GET", "me")]);
  const signOut = (one) => button("退出", async () => { await api("DELETE", `devices/${one.id}`); await redraw(); }, "plain small");
  const unbind = (app) => button("解绑", async () => {
    if (!(await sure(`解绑${APPS[app] || app}的微信？之后要用身份证号和验证码重新登录。`))) return;
    await api("DELETE", `bindings/${app}`);
    await redraw();
  }, "plain small");
  return [h("h2", {}, "登录的设备"),
    devices.map((one) => row(one.name || one.app_label, `${one.app_label}　${date(one.since)}登录，最近${date(one.seen)}使用${one.state === "reused" ? "　旧凭证被人使用，已退出" : ""}`, one.current ? h("span", { class: "tag" }, "本机") : one.state === "signed_in" ? signOut(one) : null)),
    devices.length > 1 ? button("退出其他设备", async () => { await api("DELETE", "devices"); await redraw(); }, "plain") : null,
    h("h3", {}, "绑定的微信"), me.wechat.length ? me.wechat.map((app) => row(APPS[app] || app, "", unbind(app))) : empty("没有绑定微信。")];
}

async function vehiclesPage() {
  const found = await api("GET", "vehicles");
  return [h("h2", {}, "我的车"), found.length ? found.map((one) => row(one.plate, `${one.kind}　${one.status}　${one.registering_office}`,
    one.bound ? button("解绑", async () => { if (await sure("解绑后须到窗口面签才能再绑定。")) { await api("DELETE", `vehicles/${one.id}/binding`); await redraw(); } }, "plain small") : h("span", { class: "tag" }, "未绑定"))) : empty("登记系统中没有您名下的机动车。")];
}

async function mandatesPage() {
  const found = await api("GET", "mandates");
  const deed = (one, name) => name === "accept"
    ? button("接受", async () => { await api("POST", `mandates/${one.id}/accept`, {}); await redraw(); }, "small")
    : button(one.role === "principal" ? "撤销" : one.actions.includes("accept") ? "拒绝" : "放弃", async () => { await api("DELETE", `mandates/${one.id}`); await redraw(); }, "plain small");
  const inScope = (one) => (one.services.length ? found.options.services.filter((other) => one.services.includes(other.value)) : found.options.services);
  const line = (one) => row(one.role === "principal" ? `委托给${one.agent}（${one.relation_label}）` : `${one.principal}委托我（${one.relation_label}）`,
    `${one.scope.join("、")}，至${one.until}　${one.standing_label}`, one.actions.map((name) => deed(one, name)),
    one.role === "agent" && one.standing === "live" ? button("代办", () => open(actingPage, one, inScope(one)), "small") : null);
  return [h("h2", {}, "家人代办"), h("h3", {}, "我委托的"), found.given.length ? found.given.map(line) : empty("没有委托过家人。"),
    h("h3", {}, "委托我的"), found.received.length ? found.received.map(line) : empty("没有人委托您。"), button("委托一位家人", () => open(givingPage, found.options), "wide")];
}

async function actingPage(mandate, services) {
  const { matterPage } = await import("./matter.js");
  return [h("h2", {}, `为${mandate.principal}办理`), services.map((one) => row(one.label, "", button("开始代办",
    async () => open(matterPage, (await api("POST", "matters", { service: one.value, mandate: mandate.id })).number), "small")))];
}

async function givingPage(options) {
  const code = codeRow(() => api("POST", "mandates/sms-codes", {}));
  const select = (name, label, list) => h("label", { class: "field" }, h("span", { class: "must" }, label), h("select", { name }, list.map((one) => h("option", { value: one.value }, one.label))));
  const field = (name, label, more = {}) => h("label", { class: "field" }, h("span", { class: "must" }, label), h("input", { name, autocomplete: "off", ...more }));
  const relative = (one) => button(one.name, () => { given.elements.agent_id_number.value = one.id_number; given.elements.agent_name.value = one.name; }, "chip data");
  const others = state.demo.people.filter((one) => one !== state.identity);
  const given = form(h("div", { class: "actions" }, h("span", { class: "soft" }, "演示市民："), others.map(relative)), field("agent_id_number", "家人的身份证号", { maxlength: 18 }), field("agent_name", "家人的姓名"), select("relation", "关系", options.relations),
    select("business", "委托办理", options.businesses), field("until", "委托到哪一天（可以改早）", { type: "date", max: options.latest, value: options.latest }), code);
  given.append(button("确认委托", async () => {
    const { agent_id_number, agent_name, relation, business, until } = values(given);
    await api("POST", "mandates", { agent_id_number, agent_name, relation, businesses: [business], until, sms_code: values(given).sms_code });
    await back();
  }, "wide"));
  return [h("h2", {}, "委托一位家人"), card(h("p", { class: "soft" }, "家人须已在平台注册，接受后才能代办；您可以随时撤销。"), given)];
}

async function privacyPage() {
  const [notice, me] = await Promise.all([api("GET", "privacy"), api("GET", "me")]);
  return [h("h2", {}, `个人信息说明（${notice.version}）`), h("p", { class: "words" }, notice.text),
    me.privacy.newer_waits ? button("我已阅读并同意", async () => { await api("POST", "consents", { document: "privacy", version: notice.version }); await redraw(); }, "wide") : h("p", { class: "soft" }, `您已同意 ${me.privacy.version} 版。`),
    notice.rows.map((one) => h("details", { class: "card" }, h("summary", {}, one.label), [`用途：${one.purpose}`, `依据：${one.basis.join("；")}`, `提供给：${one.recipients}`, `保存：${one.kept}`, `注销后：${one.closing}`].map((line) => h("p", { class: "soft" }, line))))];
}

async function exportPage() {
  const done = h("p", { class: "saved", role: "status" });
  const given = form(codeRow(() => sendCode({ purpose: "export" })));
  given.append(button("下载", async () => {
    const all = await api("GET", `me/export?${new URLSearchParams(proof(given))}`);
    const file = h("a", { download: "我的信息.json", href: URL.createObjectURL(new Blob([JSON.stringify(all, null, 2)], { type: "application/json" })) });
    file.click();
    done.textContent = "已下载到您的设备：我的信息.json";
  }, "wide"));
  return [h("h2", {}, "导出我的信息"), card(h("p", { class: "soft" }, "下载的文件里是平台保存的您的全部信息，证件号和手机号不打码，请妥善保管。"), given, done)];
}

async function closingPage() {
  const given = form(codeRow(() => sendCode({ purpose: "close" })));
  given.append(button("注销账户", async () => {
    if (!(await sure("注销后微信解绑、所有设备退出，手机号删除。确定注销吗？"))) return;
    const closed = await api("DELETE", "me", proof(given));
    keepToken(null);
    await restart();
    await ask((choose) => [h("p", {}, `账户已于${moment(closed.closed_at)}注销。依法保存的：`), h("ul", {}, closed.stays.map((one) => h("li", {}, `${one.label}：${one.kept}`))), h("div", { class: "row end" }, h("button", { onclick: () => choose() }, "知道了"))]);
  }, "danger wide"));
  return [h("h2", {}, "注销账户"), card(h("p", { class: "soft" }, "注销后微信解绑、所有设备退出、手机号删除；依法须保存的，注销时会逐项列出。有正在办理的事项时，请先办完或撤回。"), given)];
}
