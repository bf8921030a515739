// The published sessions by day, with the places left: book one, or stand in line where it is full.

import { bookingConsent, bookingPage } from "./exam_booking.js";
import { dayWords, empty, h, momentWords, sure } from "./lib.js";
import { api, button, open, redraw, restart, showProblem, token } from "./mini.js";

const SUBJECTS = [["", "全部科目"], ["1", "科目一"], ["2", "科目二"], ["3", "科目三（道路）"], ["4", "科目三（安全文明）"]];

// `wanted` is what is looked for: office, subject, vehicle_class, from (one day), free; the form changes it.
export async function plansPage(wanted) {
  const offices = (await api("GET", "offices?kind=vehicle_office")) || [];
  wanted.office ||= offices[0]?.code;
  const { known = [], ...asked } = wanted;
  const given = Object.entries({ ...asked, to: asked.from }).filter(([, value]) => value);
  const found = wanted.office ? await api("GET", `exam-plans?${new URLSearchParams(given)}`) : { plans: [], next: null };
  // The days there is something on, of what was seen so far.
  wanted.known = [...new Set([...known, ...found.plans.map((one) => one.day)])].sort();
  const list = h("div", {}, days(found.plans));
  const more = found.next ? button("更多场次", async () => {
    const next = await api("GET", `exam-plans?${new URLSearchParams([...given, ["after", found.next]])}`);
    found.next = next.next;
    list.append(...days(next.plans));
    more.hidden = !next.next;
  }, "plain wide") : null;
  return [h("h2", {}, "选场次"), filter(wanted, offices),
    found.plans.length ? list : empty(wanted.from || wanted.free ? "没有这样的场次，换个日期或去掉“只看有名额的”试试。" : "现在没有公布的场次，过几天再来看看。"), more,
    token() ? null : h("p", { class: "soft" }, "预约请先登录。"), button("刷新", redraw, "plain")];
}

function filter(wanted, offices) {
  const choose = (name, label, options) => h("label", {}, h("select", { name, "aria-label": label }, options.map(([value, text]) => h("option", { value, selected: (wanted[name] || "") === value }, text))));
  const form = h("form", { class: "filter", onsubmit: (event) => event.preventDefault() },
    choose("office", "车管所", offices.map((one) => [one.code, one.name])), choose("subject", "科目", SUBJECTS),
    choose("from", "日期", [["", "全部日期"], ...wanted.known.map((day) => [day, dayWords(day)])]),
    h("label", {}, h("input", { type: "checkbox", name: "free", value: "true", checked: Boolean(wanted.free) }), " 只看有名额的"));
  form.addEventListener("change", async ({ target }) => {
    // Another office or subject has other days.
    if (["office", "subject"].includes(target.name)) Object.assign(wanted, { from: "", known: [] });
    wanted[target.name] = target.type === "checkbox" ? (target.checked ? "true" : "") : target.value;
    await redraw();
    document.querySelector(`.filter [name=${target.name}]`)?.focus();
  });
  return form;
}

function days(plans) {
  const byDay = Map.groupBy ? Map.groupBy(plans, (one) => one.day) : plans.reduce((found, one) => found.set(one.day, [...(found.get(one.day) || []), one]), new Map());
  return [...byDay].map(([day, some]) => h("section", { class: "card", "aria-label": dayWords(day) }, h("h3", {}, dayWords(day)), some.map(planLine)));
}

function planLine(one) {
  const full = one.status === "open" && !one.bookable;
  const seats = one.left > 0 && one.bookable ? `剩 ${one.left} / ${one.capacity}` : `已满 ${one.capacity}${one.waiting ? `，候补 ${one.waiting} 人` : ""}`;
  const deed = one.bookable ? button("预约", () => take(one, "bookings"), "small") : full ? button("候补", () => take(one, "waiting-list"), "plain small") : h("span", { class: "tag ended" }, one.status_label);
  return h("div", { class: "plan", "data-plan": one.code }, h("span", {}, h("b", {}, `${one.starts}–${one.ends}`), `　${one.site_name}`,
    h("span", { class: "soft block" }, `${one.subject_label}　${one.vehicle_class}　`, h("b", {}, seats)),
    h("span", { class: "soft block" }, `${momentWords(one.closes_at)} 截止预约`)), deed);
}

const WORDS = {
  bookings: { title: "预约这个场次？", yes: "确定预约", text: (one) => `${momentWords(one.closes_at)} 前可以网上取消。没有取消又没有参加考试的，按弃考登记，用掉一次预约。` },
  "waiting-list": { title: "候补这个场次？", yes: "确定候补", text: () => "空出名额按先后通知您，收到后在期限内确认就是您的；候补随时可以退出。" },
};

async function take(one, where) {
  if (!token()) { await restart(); return; }
  const words = WORDS[where];
  const what = h("p", {}, h("b", {}, `${one.subject_label}　${one.vehicle_class}`), h("br"), `${dayWords(one.day)} ${one.starts}–${one.ends}`, h("br"), one.site_name);
  if (!(await sure([h("h2", {}, words.title), what, h("p", { class: "soft" }, words.text(one))], { yes: words.yes, no: "再看看" }))) return;
  // Before the write: the message it causes may be sent at once.
  await bookingConsent();
  let made;
  try {
    made = await api("POST", where, { plan: one.code });
  } catch (error) {
    // Somebody was faster: the list anew, with what the service says and the line to stand in.
    if (!["plan-full", "plan-closed"].includes(error.value?.code)) throw error;
    await redraw();
    showProblem(error);
    return;
  }
  await open(bookingPage, made.number);
}
