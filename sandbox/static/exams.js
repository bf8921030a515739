// Driving tests in the mini-program: the first screen's two ways in, a student's record, what he may cancel.

import { bookingLink, bookingPage, cancelled } from "./exam_booking.js";
import { plansPage } from "./exam_plans.js";
import { card, date, dayWords, empty, h, momentWords, today } from "./lib.js";
import { api, button, open, redraw, restart, token } from "./mini.js";

export const examLinks = () => h("div", { class: "pair" },
  button("预约考试", () => open(examsPage)), button("取消预约考试", () => open(cancelPage), "plain"));

const loginFirst = (title, text) => [h("h2", {}, title), card(h("p", {}, text), h("div", { class: "actions" },
  button("去登录", () => restart()), button("看考试计划", () => open(plansPage, {}), "plain")))];

// His record, or null with what the service says to who is no student.
async function ownRecord() {
  try {
    return [await api("GET", "exam-results"), null];
  } catch (error) {
    if (!["not-a-student", "not-allowed-tier"].includes(error.value?.code)) throw error;
    return [null, error.value];
  }
}

export async function examsPage() {
  if (!token()) return loginFirst("预约考试", "登录后可以预约、候补和查看自己的考试记录；考试计划不登录也可以看。");
  const [[record, problem], bookings] = await Promise.all([ownRecord(), api("GET", "bookings")]);
  const live = bookings.filter((one) => one.live);
  const past = bookings.filter((one) => !one.live);
  return [h("h2", {}, "驾驶人考试"),
    record ? permitCard(record) : card(h("b", {}, problem.detail), h("p", {}, problem.next),
      h("div", { class: "actions" }, button("看考试计划", () => open(plansPage, {}), "plain"))),
    live.length ? [h("h3", {}, "我的预约和候补"), live.map(bookingLink)] : null,
    record ? [h("h3", {}, "各科目"), record.subjects.map((one) => subjectCard(one, record))] : null,
    record ? [h("h3", {}, "考试记录"), record.attempts.length ? card(record.attempts.map(attemptLine)) : empty("还没有考试记录。")] : null,
    past.length ? [h("h3", {}, "以往的预约"), past.map(bookingLink)] : null,
    h("div", { class: "actions" }, button("刷新", redraw, "plain"), live.length ? button("取消预约考试", () => open(cancelPage), "plain") : null)];
}

function permitCard(record) {
  const permit = record.permit_until ? `学习驾驶证明 ${date(record.permit_issued_on)} 核发，有效期至 ${date(record.permit_until)}` : "还没有学习驾驶证明";
  return card(h("b", {}, `报考 ${record.vehicle_class}`), h("p", { class: "soft" }, permit),
    record.office ? h("p", { class: "soft" }, `${record.office.name}　${record.office.phone}`) : null);
}

function subjectCard(one, record) {
  const left = one.left === null ? "" : `已用 ${one.used} 次预约，还剩 ${one.left} 次`;
  const when = one.bookable_from ? (one.bookable_from <= today() ? "现在可以预约" : `${dayWords(one.bookable_from)}起可以预约`) : one.why;
  const wanted = { office: record.office?.code, subject: one.subject, vehicle_class: record.vehicle_class };
  const free = !one.passed && !one.booking && one.bookable_from;
  return h("div", { class: "card", "data-subject": one.subject },
    h("b", {}, one.label), " ", one.passed ? h("span", { class: "tag" }, `合格　${date(one.passed_on)}`) : null,
    !one.passed && left ? h("p", { class: "soft" }, left) : null,
    one.passed ? null : h("p", {}, one.booking ? "已有一个预约或候补" : when),
    h("div", { class: "actions" },
      one.booking ? button("看预约", () => open(bookingPage, one.booking), "plain small") : null,
      free ? button("选场次", () => open(plansPage, wanted), "small") : null));
}

const attemptLine = (one) => h("p", {}, `${date(one.day)}　${one.subject_label}　`, h("b", {}, one.outcome_label),
  h("span", { class: "soft" }, [one.retried ? "含补考" : "", one.void ? "已作废" : ""].filter(Boolean).map((text) => `　${text}`).join("")));

// ---------------------------------------------------------------- cancelling (B5: on the first screen)
export async function cancelPage() {
  if (!token()) return loginFirst("取消预约考试", "登录后可以取消自己的预约。");
  const live = (await api("GET", "bookings")).filter((one) => one.live);
  const found = await Promise.all(live.map((one) => api("GET", `bookings/${one.number}`)));
  return [h("h2", {}, "取消预约考试"),
    found.length ? found.map(cancelCard) : empty("没有可以取消的预约。"),
    h("p", { class: "soft" }, "没有取消又没有参加考试的，按弃考登记，用掉一次预约。车管所改了计划的，取消不计次数。"),
    button("刷新", redraw, "plain")];
}

function cancelCard(one) {
  const line = one.actions.includes("leave");
  const online = one.actions.includes("cancel");
  const until = line ? "随时可以退出候补" : online && !one.changed ? `${momentWords(one.cancel_online_until)} 前可以网上取消` : online ? "计划有变动，考试前一天为止可以网上取消，不计次数"
    : `网上已不能取消；最晚 ${dayWords(one.cancel_office_until)}，本人持身份证原件到${one.office ? `${one.office.name}（${one.office.address}）` : "车管所"}取消`;
  return h("div", { class: "card" }, h("b", {}, `${one.subject_label}　${dayWords(one.day)} ${one.starts}`), " ", h("span", { class: `tag ${one.state}` }, one.state_label),
    h("p", { class: "soft" }, one.site_name), h("p", {}, until),
    h("div", { class: "actions" }, button("看详情", () => open(bookingPage, one.number), "plain small"),
      line || online ? button(line ? "退出候补" : "取消这个预约", async () => { if (await cancelled(one)) await redraw(); }, "danger small") : null));
}
