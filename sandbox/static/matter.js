// One matter in the mini-program: its form, its photos, what may be done with it now, what was done.

import { ask, card, date, h, json, mine, moment, state } from "./lib.js";
import { api, back, button, clearProblem, redraw, showProblem } from "./mini.js";
import { chooseSample } from "./samples.js";

const GUIDES = new Map();

async function act(method, path, body) {
  await api(method, path, body);
  await redraw();
}

export async function matterPage(number) {
  const matter = await api("GET", `matters/${number}`);
  if (!GUIDES.has(matter.service)) GUIDES.set(matter.service, await api("GET", `services/${matter.service}`));
  const guide = GUIDES.get(matter.service);
  const can = (action) => matter.actions.includes(action);
  return [
    h("div", { class: "card", "data-mark": matter.state }, h("h2", {}, matter.title, " ", h("span", { class: `tag ${matter.state}` }, matter.state_label)), h("p", { class: "soft number" }, `编号 ${matter.number}`),
      matter.next_step ? h("p", {}, matter.next_step) : null,
      matter.office ? h("p", { class: "soft" }, `${matter.office.name}　${matter.office.phone}`) : null,
      matter.due ? h("p", { class: "soft" }, `最晚 ${date(matter.due)} 前办完审核`) : null),
    matter.defects?.length ? h("div", { class: "card error" }, h("b", {}, `需要补正 ${matter.defects.length} 处`), matter.defects.map((one) => h("p", {}, `${one.label}：${one.reason}`))) : null,
    formCard(matter, guide, can("fill")),
    materialCards(matter, guide, can("attach"), can("detach")),
    actions(matter, can),
    progress(matter),
  ];
}

// What was done, and what was told about it.
export const progress = (matter) => [
  matter.timeline?.length ? card(h("h3", {}, "办理进度"), h("ol", { class: "steps" }, matter.timeline.map((one) =>
    h("li", {}, one.text, one.note ? h("p", {}, one.note) : null, h("p", { class: "soft" }, [moment(one.at), one.office].filter(Boolean).join("　")))))) : null,
  matter.notices?.length ? card(h("h3", {}, "发给您的消息"), matter.notices.map((one) => h("p", {}, one.text || one.title, h("span", { class: "soft block" }, `${moment(one.at)}　${one.state_label}`)))) : null,
];

function actions(matter, can) {
  const path = `matters/${matter.number}`;
  return h("div", { class: "card actions" },
    can("submit") ? button("提交", async () => { await askConsent(matter); await act("POST", `${path}/submit`); }) : null,
    can("urge") ? button("催办", () => act("POST", `${path}/urge`), "plain") : null,
    matter.consent_templates?.length && !can("submit") ? button("订阅进度消息", () => askConsent(matter), "plain") : null,
    button("刷新", redraw, "plain"),
    can("withdraw") ? button(matter.state === "draft" ? "删除草稿" : "撤回", () => withdraw(matter), "danger") : null);
}

async function withdraw(matter) {
  const draft = matter.state === "draft";
  const sure = await ask((choose) => [h("h2", {}, draft ? "删除这份草稿？" : "撤回这件申请？"),
    h("p", {}, draft ? "填写的内容和照片会删除。" : "撤回后不再审核，要办需重新申请。"),
    h("div", { class: "row end" }, h("button", { class: "plain", onclick: () => choose(false) }, "保留"), h("button", { class: "danger", onclick: () => choose(true) }, draft ? "删除" : "撤回"))], false);
  if (!sure) return;
  await api("DELETE", `matters/${matter.number}`);
  await (draft ? back() : redraw());
}

const inWords = (day) => (day ? day.replace(/^(\d+)-0?(\d+)-0?(\d+)$/, "$1年$2月$3日") : "");

function formCard(matter, guide, editable) {
  const open = new Map(matter.fields.map((field) => [field.name, field.open]));
  if (!guide.fields.length) return null;
  if (!editable || ![...open.values()].some(Boolean)) {
    return card(h("h3", {}, "填写内容"), matter.fields.map((field) => h("p", {}, h("span", { class: "soft" }, `${field.label}：`), field.text || field.value || "—")));
  }
  const form = h("form", { onsubmit: (event) => event.preventDefault() }, guide.fields.map((field) => {
    const shown = matter.form[field.name] || "";
    const common = { name: field.name, disabled: open.get(field.name) === false };
    const box = field.options?.length
      ? h("select", common, h("option", { value: "" }, "请选择"), field.options.map((one) => h("option", { value: one.value, selected: one.value === shown }, one.label)))
      : h("input", { ...common, value: shown, type: { date: "date", phone: "tel" }[field.type] || "text", placeholder: field.example ? `例如：${field.example}` : "" });
    const label = h("span", { class: field.required ? "must" : "" }, field.label);
    // A browser shows dates in its own language's order; the label says it in words.
    if (field.type === "date") {
      const words = h("b", {}, inWords(shown));
      box.addEventListener("input", () => { words.textContent = inWords(box.value); });
      label.append("　", words);
    }
    return h("label", { class: "field" }, label, box, field.help ? h("span", { class: "soft" }, field.help) : null);
  }));
  // Each answer is saved when it is given, so that nothing is lost on the way to a photo.
  const saved = h("span", { class: "saved", role: "status" });
  form.addEventListener("change", async ({ target }) => {
    saved.textContent = "";
    try {
      await api("PATCH", `matters/${matter.number}`, { form: { [target.name]: target.value } });
      clearProblem();
      saved.textContent = "已保存";
    } catch (error) { showProblem(error); }
  });
  return card(h("h3", {}, "填写内容 ", saved), form);
}

function materialCards(matter, guide, attach, detach) {
  return matter.materials.map((material) => {
    const most = guide.materials.find((one) => one.name === material.name)?.max_photos || Infinity;
    const upload = async (file) => {
      const form = new FormData();
      form.append("material", material.name);
      form.append("file", file);
      await act("POST", `matters/${matter.number}/photos`, form);
    };
    const pick = h("input", { type: "file", accept: "image/*,.heic,.pdf", hidden: true, onchange: async () => {
      try { await upload(pick.files[0]); } catch (error) { showProblem(error); } finally { pick.value = ""; }
    } });
    return h("div", { class: "card", "data-material": material.name }, h("b", { class: material.required ? "must" : "" }, material.label), h("p", { class: "soft" }, material.shows),
      h("div", { class: "photos" }, material.photos.map((photo) => h("figure", {},
        h("img", { src: photo.thumbnail.replace(/^.*\/api\/v1\//, "/mini/"), alt: material.label }),
        detach && material.open ? button("删除", () => act("DELETE", `matters/${matter.number}/photos/${photo.id}`), "danger") : null))),
      attach && material.open && material.photos.length < most ? h("div", { class: "actions" }, button("选择文件", () => pick.click(), "plain"),
        button("示例照片", async () => { const file = await chooseSample(); if (file) await upload(file); }, "chip data"), pick) : null);
  });
}

// wx.requestSubscribeMessage: the sheet WeChat shows at a tap; what is tapped is kept by WeChat and told to the service.
export async function askConsent(matter) {
  for (const template of matter.consent_templates || []) {
    const answer = await ask((choose) => [h("p", {}, h("b", {}, "便民服务"), " 申请"), h("h2", {}, "发送一次以下消息"),
      h("p", { class: "card" }, state.demo.templates[template] || template),
      h("div", { class: "row end" }, h("button", { class: "plain", onclick: () => choose("reject") }, "拒绝"), h("button", { onclick: () => choose("accept") }, "允许"))], "reject");
    await json("POST", mine("/consent"), { template_id: template, accept: answer === "accept" });
    await api("POST", "consents", { template_id: template, result: answer });
  }
}
