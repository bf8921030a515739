// The citizen's phone: chat and SMS from the sandbox, the mini-program by calls to the service through /mini/.

const $ = (id) => document.getElementById(id);
const state = { person: null, chatLength: -1, smsLength: -1, page: null, trail: [], menu: "" };

// Build an element: h("p", {class: "soft"}, "text", child, ...); functions in props are listeners.
function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(name, value);
    else if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const json = async (method, path, body) => {
  const answer = await fetch(path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error || answer.statusText);
  return value;
};
const mine = (rest = "") => `/sandbox/people/${state.person.person}${rest}`;
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "Asia/Shanghai" });
const day = (text) => (text ? new Date(text).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false }) : "");
const toEnd = (node) => { node.scrollTop = node.scrollHeight; };

// ---------------------------------------------------------------- people
async function loadPeople(wanted) {
  const people = await json("GET", "/sandbox/people");
  const key = wanted || localStorage.getItem("person");
  state.person = people.find((one) => one.person === key) || people.at(-1) || null;
  $("person").replaceChildren(...people.map((one) =>
    h("option", { value: one.person, selected: one === state.person }, `${one.name} ${one.phone}`)));
  if (!people.length) $("person").append(h("option", {}, "还没有市民，请先新建"));
  if (state.person) localStorage.setItem("person", state.person.person);
  state.chatLength = state.smsLength = -1;
  $("number").textContent = state.person?.phone || "";
  await poll();
  state.trail = [];
  await open(token() ? home : loginPage);
}

$("person").addEventListener("change", (event) => loadPeople(event.target.value));
$("new-person").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const made = await json("POST", "/sandbox/people", { name: form.name.value, phone: form.phone.value, follow: false });
  form.reset();
  await loadPeople(made.person);
});

// ---------------------------------------------------------------- chat and SMS
const EVENTS = { subscribe: "你关注了公众号", unsubscribe: "你取消了关注", CLICK: "点击菜单：", VIEW: "打开网页：", SCAN: "扫码" };
const VIAS = { "customer-service": "客服消息", template: "模板消息", subscribe: "小程序订阅消息" };

function bubble(entry) {
  let body = entry.text || "";
  let kind = entry.from === "person" ? "mine" : "";
  if (entry.type === "event") {
    kind = "event";
    body = (EVENTS[entry.event] || entry.event) + (entry.event === "CLICK" || entry.event === "VIEW" ? entry.text : "");
  } else if (entry.broken) kind = "broken";
  else if (entry.type === "image") body = h("img", { src: `/sandbox/media/${entry.media_id}`, alt: "照片（无法预览）" });
  else if (entry.lines) body = [h("b", {}, entry.title), ...entry.lines.map(([label, value]) => h("p", {}, h("span", { class: "soft" }, `${label}：`), value))];
  else if (entry.articles) body = entry.articles.map((one) => h("p", {}, h("b", {}, one.title), h("br"), one.description || ""));
  else if (entry.type !== "text") body = `[${{ voice: "语音", video: "视频", location: "位置", link: "链接" }[entry.type] || entry.type}] ${body}`;
  const via = VIAS[entry.via] ? h("span", { class: "via" }, VIAS[entry.via]) : null;
  return h("div", { class: `bubble ${kind}` }, via, body);
}

function connected(yes) {
  $("number").textContent = yes ? state.person?.phone || "" : "沙盒没有应答";
}

function withTimes(entries, make) {
  let last = 0;
  return entries.flatMap((entry) => {
    const head = entry.at - last > 60 ? [h("div", { class: "time" }, clock(entry.at))] : [];
    last = entry.at;
    return [...head, make(entry)];
  });
}

async function poll() {
  if (!state.person) {
    $("chat").replaceChildren(h("p", { class: "soft" }, "先在上方新建一位市民。"));
    return;
  }
  const [person, chat, menu] = await Promise.all([json("GET", mine()), json("GET", mine("/chat")), json("GET", "/sandbox/menu")]);
  const sms = person.phone ? await json("GET", `/sandbox/phones/${person.phone}/sms`) : [];
  if (person.person !== state.person.person) return;
  state.person = person;
  $("follow").textContent = person.follows ? "取消关注" : "关注";
  $("say").hidden = !person.follows;
  $("menu").hidden = !person.follows || !menu.button.length;
  if (chat.length !== state.chatLength) {
    state.chatLength = chat.length;
    $("chat").replaceChildren(...withTimes(chat, bubble));
    if (!chat.length) $("chat").append(h("p", { class: "soft" }, person.follows ? "发一句话，开始办事。" : "点右上角“关注”，开始使用公众号。"));
    toEnd($("chat"));
  }
  if (sms.length !== state.smsLength) {
    state.smsLength = sms.length;
    $("inbox").replaceChildren(...withTimes(sms, (one) => h("div", { class: "bubble" }, one.text)));
    if (!sms.length) $("inbox").append(h("p", { class: "soft" }, "还没有短信。"));
    toEnd($("inbox"));
  }
  drawMenu(menu.button);
}

function drawMenu(buttons) {
  const text = JSON.stringify(buttons);
  if (text === state.menu) return;
  state.menu = text;
  const tap = (button) => h("button", { type: "button", onclick: () => send("/event", button.type === "click"
    ? { event: "CLICK", key: button.key, label: button.name } : { event: "VIEW", key: button.url || "", label: button.name }) }, button.name);
  $("menu").replaceChildren(...buttons.map((button) => button.sub_button?.length
    ? h("details", { onclick: (event) => event.target.tagName === "BUTTON" && event.currentTarget.removeAttribute("open") },
      h("summary", {}, `≡ ${button.name}`), h("div", {}, button.sub_button.map(tap)))
    : h("div", {}, tap(button))));
}

async function send(path, body) {
  const answer = json("POST", mine(path), body);
  setTimeout(poll, 60);
  await answer;
  await poll();
}

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = event.target.text.value.trim();
  event.target.reset();
  if (text) send("/say", { text });
});
$("follow").addEventListener("click", () => send("/event", { event: state.person.follows ? "unsubscribe" : "subscribe" }));
$("photo").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  event.target.value = "";
  if (!file) return;
  const form = new FormData();
  form.append("file", file);
  setTimeout(poll, 100);
  await fetch(mine("/image"), { method: "POST", body: form });
  await poll();
});

// ---------------------------------------------------------------- mini-program: calls
const tokenKey = () => `token-${state.person?.person}`;
const token = () => state.person && localStorage.getItem(tokenKey());
const keys = new Map();

class Problem extends Error {
  constructor(value) { super(value.detail || "出错了"); this.value = value; }
}

// One call of the service. A write keeps its idempotency key until some answer came, so a repeated tap repeats the same write.
async function api(method, path, body) {
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
    if (value?.code === "not-logged-in" && token()) localStorage.removeItem(tokenKey());
    throw new Problem(value || { status: answer.status });
  }
  return value;
}

const loginCode = async () => (await json("POST", mine("/login-code"), {})).code;

function showProblem(error) {
  const problem = error instanceof Problem ? error.value : { detail: error.message };
  const parts = problem.params?.fields || problem.params?.parts || [];
  const lines = Array.isArray(parts) ? parts.filter((one) => one?.reason).map((one) => h("p", {}, `${one.label}：${one.reason}`)) : [];
  const card = h("div", { class: "card error", role: "alert" }, h("b", {}, problem.detail || "出错了"), lines,
    problem.next ? h("p", {}, problem.next) : null, h("p", { class: "soft" }, [problem.status, problem.code].filter(Boolean).join(" ")));
  $("page").querySelector("[role=alert]")?.remove();
  $("page").prepend(card);
  $("page").scrollTop = 0;
}

// A button that runs something once at a time and shows what went wrong.
function button(label, work, kind = "") {
  return h("button", { type: "button", class: kind, onclick: async (event) => {
    const node = event.currentTarget;
    node.disabled = true;
    try { await work(); } catch (error) { showProblem(error); } finally { node.disabled = false; }
  } }, label);
}

async function open(page, ...values) {
  state.trail.push([page, values]);
  await redraw();
}
async function redraw() {
  const [page, values] = state.trail.at(-1);
  $("back").style.visibility = state.trail.length > 1 ? "visible" : "hidden";
  if (!state.person) { $("page").replaceChildren(); return; }
  try {
    const nodes = await page(...values);
    $("page").replaceChildren(...nodes.flat(Infinity).filter(Boolean));
    $("page").scrollTop = 0;
  } catch (error) {
    $("page").replaceChildren(button("重试", redraw, "plain"));
    showProblem(error);
    if (!token() && page !== loginPage) $("page").append(button("重新登录", () => restart(loginPage)));
  }
}
const restart = (page) => { state.trail = []; return open(page); };
$("back").addEventListener("click", () => { state.trail.pop(); redraw(); });

// ---------------------------------------------------------------- mini-program: pages
const card = (...children) => h("div", { class: "card" }, ...children);
const link = (title, tag, go) => h("button", { class: "card link plain", type: "button", onclick: go }, h("span", {}, title), h("span", { class: "tag" }, tag));

function input(label, name, props = {}) {
  return h("label", { class: "field" }, h("span", { class: props.required ? "must" : "" }, label), h("input", { name, ...props }));
}
const values = (form) => Object.fromEntries(new FormData(form));

async function enter(answer) {
  localStorage.setItem(tokenKey(), answer.token);
  await restart(home);
}

async function loginPage() {
  return [
    card(h("h2", {}, "欢迎使用便民服务"), h("p", { class: "soft" }, "已注册的市民可用微信直接登录。"),
      h("div", { class: "actions" },
        button("微信登录", async () => enter(await api("POST", "login", { code: await loginCode() }))),
        button("注册", () => open(registerPage), "plain"),
        button("身份证号登录", () => open(idLoginPage), "plain"))),
    await serviceList(),
  ];
}

function personForm(purpose, fields, submitLabel, submit) {
  const form = h("form", { onsubmit: (event) => event.preventDefault() }, fields,
    h("div", { class: "row" }, h("input", { name: "sms_code", placeholder: "短信验证码", inputmode: "numeric", "aria-label": "短信验证码" }),
      button("获取验证码", async () => {
        const { id_number, phone } = values(form);
        const sent = await api("POST", "sms-codes", { id_number, purpose, ...(phone === undefined ? {} : { phone }) });
        note.textContent = `验证码已发送${sent?.phone ? `至 ${sent.phone}` : ""}，${sent?.minutes || ""}分钟内有效，请看短信。`;
        $("page").querySelector("[role=alert]")?.remove();
      }, "plain")));
  const note = h("p", { class: "soft" });
  form.append(note, button(submitLabel, () => submit(values(form))));
  return card(form);
}

const registerPage = async () => [
  h("h2", {}, "注册"),
  personForm("register", [input("身份证号", "id_number", { required: true, maxlength: 18 }), input("姓名", "name", { required: true }),
    input("手机号（须为公安机关登记的号码）", "phone", { required: true, value: state.person.phone, inputmode: "numeric" })], "注册",
    async (given) => enter(await api("POST", "registrations", { ...given, wechat_code: await loginCode() }))),
];
const idLoginPage = async () => [
  h("h2", {}, "身份证号登录"),
  personForm("login", [input("身份证号", "id_number", { required: true, maxlength: 18 })], "登录",
    async (given) => enter(await api("POST", "login/id-number", { ...given, wechat_code: await loginCode() }))),
];

async function serviceList() {
  const services = await api("GET", "services");
  return h("div", {}, h("h3", {}, "可办事项"), services.map((one) => link(one.title, one.status_label || one.status || "", () => open(servicePage, one.code))));
}

async function home() {
  const [me, matters, list] = await Promise.all([api("GET", "me"), api("GET", "matters"), serviceList()]);
  return [
    card(h("h2", {}, me.name), h("p", { class: "soft" }, `${me.id_number}　${me.phone}`),
      h("p", {}, (me.tier_labels || []).map((label) => [h("span", { class: "tag" }, label), " "])),
      (me.licences || []).map((one) => h("p", {}, `驾驶证 ${one.number} ${one.vehicle_class}　${one.status}　有效期至 ${one.valid_until}`, one.bound ? "" : "（未绑定）"))),
    h("h3", {}, "我的办件"),
    matters.length ? matters.map((one) => link(`${one.title}　${one.number}`, one.state_label, () => open(matterPage, one.number))) : h("p", { class: "soft" }, "还没有办件。"),
    list,
    h("div", { class: "actions" }, button("消息", () => open(noticesPage), "plain"), button("刷新", redraw, "plain"),
      button("退出登录", () => { localStorage.removeItem(tokenKey()); return restart(loginPage); }, "plain")),
  ];
}

const noticesPage = async () => [h("h2", {}, "消息"),
  (await api("GET", "notices")).map((one) => card(h("b", {}, one.title), h("p", {}, one.text), h("p", { class: "soft" }, `${day(one.at)}　${one.state_label}`)))];

async function servicePage(code) {
  const one = await api("GET", `services/${code}`);
  const items = (title, lines) => lines?.length ? [h("h3", {}, title), h("ul", {}, lines.map((line) => h("li", {}, line)))] : [];
  const limit = one.time_limit ? [`${one.time_limit.value} ${one.time_limit.unit}（${one.time_limit.source}）`] : [];
  return [h("h2", {}, one.title),
    card(items("谁可以办", one.who ? [one.who] : []), items("条件", one.conditions), items("材料", one.materials.map((m) => `${m.label}${m.required ? "" : "（视情况）"}：${m.shows}`)),
      items("步骤", one.steps), items("时限", limit), items("费用", one.fee ? [one.fee] : []), items("依据", one.law)),
    token()
      ? button("开始办理", async () => open(matterPage, (await api("POST", "matters", { service: code })).number))
      : button("登录后办理", () => restart(loginPage))];
}

const GUIDES = new Map();
async function matterPage(number) {
  const matter = await api("GET", `matters/${number}`);
  if (!GUIDES.has(matter.service)) GUIDES.set(matter.service, await api("GET", `services/${matter.service}`));
  const guide = GUIDES.get(matter.service);
  const can = (action) => matter.actions.includes(action);
  return [
    card(h("h2", {}, matter.title, " ", h("span", { class: "tag" }, matter.state_label)), h("p", { class: "soft" }, `编号 ${matter.number}`),
      matter.next_step ? h("p", {}, matter.next_step) : null,
      matter.office ? h("p", { class: "soft" }, `${matter.office.name}　${matter.office.phone}`) : null,
      matter.due ? h("p", { class: "soft" }, `承诺办结：${day(matter.due)}`) : null),
    matter.defects?.length ? h("div", { class: "card error" }, h("b", {}, "需要补正"), matter.defects.map((one) => h("p", {}, `${one.label}：${one.reason}`))) : null,
    formCard(matter, guide, can("fill")),
    materialCards(matter, can("attach"), can("detach")),
    h("div", { class: "card actions" },
      can("submit") ? button("提交", async () => { await askConsent(matter); await act("POST", `matters/${number}/submit`); }) : null,
      can("urge") ? button("催办", () => act("POST", `matters/${number}/urge`), "plain") : null,
      matter.consent_templates?.length ? button("订阅进度消息", () => askConsent(matter), "plain") : null,
      button("刷新", redraw, "plain"),
      can("withdraw") ? button(matter.state === "draft" ? "删除草稿" : "撤回", () => act("DELETE", `matters/${number}`), "danger") : null),
    matter.timeline?.length ? card(h("h3", {}, "办理进度"), h("ol", { class: "steps" }, matter.timeline.map((one) =>
      h("li", {}, one.text, one.note ? h("p", {}, one.note) : null, h("p", { class: "soft" }, [day(one.at), one.office].filter(Boolean).join("　")))))) : null,
    matter.notices?.length ? card(h("h3", {}, "发给您的消息"), matter.notices.map((one) => h("p", {}, one.title || one.text, h("span", { class: "soft" }, `　${day(one.at)} ${one.state_label}`)))) : null,
  ];
}

async function act(method, path, body) {
  await api(method, path, body);
  await redraw();
}

function formCard(matter, guide, editable) {
  const open_ = new Map(matter.fields.map((field) => [field.name, field.open]));
  if (!guide.fields.length) return null;
  if (!editable || ![...open_.values()].some(Boolean)) {
    return card(h("h3", {}, "填写内容"), matter.fields.map((field) => h("p", {}, h("span", { class: "soft" }, `${field.label}：`), field.text || field.value || "—")));
  }
  const form = h("form", { onsubmit: (event) => event.preventDefault() }, guide.fields.map((field) => {
    const shown = matter.form[field.name] || "";
    const common = { name: field.name, disabled: open_.get(field.name) === false };
    const box = field.options?.length
      ? h("select", common, h("option", { value: "" }, "请选择"), field.options.map((one) => h("option", { value: one.value, selected: one.value === shown }, one.label)))
      : h("input", { ...common, value: shown, type: { date: "date", phone: "tel" }[field.type] || "text", placeholder: field.example || "" });
    return h("label", { class: "field" }, h("span", { class: field.required ? "must" : "" }, field.label), box, field.help ? h("span", { class: "soft" }, field.help) : null);
  }));
  // Each answer is saved when it is given, so that nothing is lost on the way to a photo.
  const saved = h("span", { class: "soft" });
  form.addEventListener("change", async ({ target }) => {
    saved.textContent = "";
    try {
      await api("PATCH", `matters/${matter.number}`, { form: { [target.name]: target.value } });
      $("page").querySelector("[role=alert]")?.remove();
      saved.textContent = "已保存";
    } catch (error) { showProblem(error); }
  });
  return card(h("h3", {}, "填写内容 ", saved), form);
}

function materialCards(matter, attach, detach) {
  return matter.materials.map((material) => {
    const pick = h("input", { type: "file", accept: "image/*,.heic,.pdf", hidden: true, onchange: async () => {
      const form = new FormData();
      form.append("material", material.name);
      form.append("file", pick.files[0]);
      try { await act("POST", `matters/${matter.number}/photos`, form); } catch (error) { showProblem(error); } finally { pick.value = ""; }
    } });
    return card(h("b", { class: material.required ? "must" : "" }, material.label), h("p", { class: "soft" }, material.shows),
      h("div", { class: "photos" }, material.photos.map((photo) => h("figure", {},
        h("img", { src: photo.thumbnail.replace(/^.*\/api\/v1\//, "/mini/"), alt: material.label }),
        detach && material.open ? button("删", () => act("DELETE", `matters/${matter.number}/photos/${photo.id}`), "danger") : null))),
      attach && material.open ? [button("上传照片", () => pick.click(), "plain"), pick] : null);
  });
}

// wx.requestSubscribeMessage: the sheet WeChat shows at a tap; what is tapped is kept by WeChat and told to the service.
async function askConsent(matter) {
  for (const template of matter.consent_templates || []) {
    const answer = await new Promise((resolve) => {
      const choose = (result) => () => { $("ask").close(); resolve(result); };
      $("ask").replaceChildren(h("b", {}, "便民服务 申请发送一次以下消息"), h("p", {}, "办件进度通知"), h("p", { class: "soft" }, template),
        h("div", { class: "row" }, h("button", { class: "plain", onclick: choose("reject") }, "拒绝"), h("button", { onclick: choose("accept") }, "允许")));
      $("ask").oncancel = () => resolve("reject");
      $("ask").showModal();
    });
    await json("POST", mine("/consent"), { template_id: template, accept: answer === "accept" });
    await api("POST", "consents", { results: { [template]: answer } });
  }
}

// ---------------------------------------------------------------- faults
const FAULTS = {
  wechat: { slow: "变慢", down: "停机", drop_after_accept: "收下后断线", error: "返回错误", token_expired: "令牌过期", quota: "额度用完" },
  sms: { slow: "变慢", down: "停机", drop_after_accept: "收下后断线", error: "返回错误", undelivered: "未送达", no_receipt: "没有回执" },
};
function listFaults() {
  const form = $("fault-form");
  form.fault.replaceChildren(...Object.entries(FAULTS[form.gateway.value]).map(([value, label]) => h("option", { value }, label)));
}
function showFaults(shown) {
  $("fault-state").textContent = shown.faults.map((one) => `${one.gateway === "sms" ? "短信" : "微信"}${FAULTS[one.gateway][one.fault]}`).join("，");
  $("fault-counts").textContent = JSON.stringify(shown.counts, null, 1);
}
$("fault-form").gateway.addEventListener("change", listFaults);
$("fault-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { gateway, fault, code, seconds, times } = values(event.target);
  try {
    showFaults(await json("POST", "/sandbox/faults", { gateway, fault, code, seconds: Number(seconds), ...(times ? { times: Number(times) } : {}) }));
  } catch (error) {
    $("fault-counts").textContent = error.message;
  }
});
$("fault-clear").addEventListener("click", async () => showFaults(await json("DELETE", "/sandbox/faults")));
$("faults").addEventListener("toggle", async () => showFaults(await json("GET", "/sandbox/faults")));

listFaults();
await loadPeople();
setInterval(() => { if (!document.hidden) poll().then(() => connected(true), () => connected(false)); }, 1000);
