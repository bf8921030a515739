// One booking or place in line: how it stands, what can be done with it now, progress and messages.

import { card, dayWords, h, momentWords, sure } from "./lib.js";
import { askConsent, progress } from "./matter.js";
import { api, button, open, redraw } from "./mini.js";

const LEAVE = { offered: "放弃这个名额", waiting: "退出候补" };

// A booking as a line of a list.
export function bookingLink(one) {
  const more = [`${dayWords(one.day)} ${one.starts}　${one.site_name}`, one.position ? `排在第 ${one.position} 位` : "",
    one.offer_until ? `${momentWords(one.offer_until)} 前确认` : "", one.changed ? "计划有变动，请确认" : ""].filter(Boolean).join("　");
  return h("button", { class: "card link plain", type: "button", onclick: () => open(bookingPage, one.number) },
    h("span", {}, one.subject_label, h("span", { class: "soft" }, more)),
    h("span", { class: `tag ${one.live ? one.state : "ended"}` }, one.outcome_label || one.state_label));
}

// wx.requestSubscribeMessage at the tap that books: one message for what comes next.
export const bookingConsent = async () => askConsent(await api("GET", "services/exam-booking"));

// Cancel, or leave the line, once the person is sure; whether it was done.
export async function cancelled(one) {
  const what = `${one.subject_label}　${dayWords(one.day)} ${one.starts}　${one.site_name}`;
  if (one.actions.includes("leave")) {
    const text = one.state === "offered" ? "名额会让给后面的人，这个场次要再考须重新排队。" : "再来要从最后排起。";
    if (!(await sure([h("h2", {}, `${LEAVE[one.state]}？`), h("p", {}, what), h("p", { class: "soft" }, text)], { yes: LEAVE[one.state], no: "再想想", kind: "danger" }))) return false;
    await api("DELETE", `waiting-list/${one.number}`);
    return true;
  }
  const text = one.changed ? "计划是车管所改的，取消不计次数。" : `${momentWords(one.cancel_online_until)} 前可以网上取消，不计次数。名额会给候补的人，不能恢复。`;
  if (!(await sure([h("h2", {}, "取消这个预约？"), h("p", {}, what), h("p", { class: "soft" }, text)], { yes: "确定取消", no: "保留", kind: "danger" }))) return false;
  await api("DELETE", `bookings/${one.number}`);
  return true;
}

export async function bookingPage(number) {
  const one = await api("GET", `bookings/${number}`);
  const can = (action) => one.actions.includes(action);
  const live = ["waiting", "offered", "accepted", "confirmed"].includes(one.state);
  return [
    h("div", { class: "card", "data-mark": one.state },
      h("h2", {}, one.subject_label, " ", h("span", { class: `tag ${one.state}` }, one.outcome_label || one.state_label)),
      h("p", {}, h("b", {}, `${dayWords(one.day)} ${one.starts}–${one.ends}`)), h("p", {}, one.site_name),
      h("p", { class: "soft number" }, `编号 ${one.number}　${one.vehicle_class}`),
      one.office ? h("p", { class: "soft" }, `${one.office.name}　${one.office.phone}`) : null,
      one.next_step ? h("p", {}, one.next_step) : null),
    one.offer_until ? offerCard(one, can) : null,
    one.position ? card(h("b", {}, `候补排在第 ${one.position} 位`)) : null,
    one.changed && live ? changeCard(one, can) : null,
    live && one.state !== "offered" ? termsCard(one) : null,
    h("div", { class: "card actions" },
      can("leave") && one.state !== "offered" ? button(LEAVE[one.state] || "退出候补", () => end(one), "danger") : null,
      can("cancel") ? button("取消预约", () => end(one), "danger") : null,
      live ? button("订阅进度消息", bookingConsent, "plain") : null,
      button("刷新", redraw, "plain")),
    progress(one),
  ];
}

async function end(one) {
  if (await cancelled(one)) await redraw();
}

async function act(path) {
  await api("POST", path, {});
  await redraw();
}

function offerCard(one, can) {
  return h("div", { class: "card urgent" }, h("b", {}, "空出一个名额，轮到您了"),
    h("p", {}, `请在 ${momentWords(one.offer_until)} 前确认，过时让给后面的人。`),
    h("div", { class: "actions" }, can("accept") ? button("接受", () => act(`waiting-list/${one.number}/accept`)) : null,
      can("leave") ? button("放弃", () => end(one), "danger") : null));
}

function changeCard(one, can) {
  return h("div", { class: "card urgent" }, h("b", {}, "车管所改了这个场次"),
    h("p", {}, "请看新的时间和地点：能去就点“按新的安排参加”，不能去可以取消，不计次数。"),
    h("div", { class: "actions" }, can("accept_change") ? button("按新的安排参加", () => act(`bookings/${one.number}/accept-change`)) : null));
}

function termsCard(one) {
  if (one.state === "waiting") return card(h("p", { class: "soft" }, "候补随时可以退出，不计次数。"));
  const office = one.office ? `${one.office.name}（${one.office.address}）` : "车管所";
  return card(
    one.state === "accepted" ? h("p", {}, `${momentWords(one.told_by)} 前告知是否预约成功`) : null,
    one.changed ? h("p", { class: "soft" }, "考试前一天为止可以网上取消，不计次数")
      : [h("p", { class: "soft" }, `${momentWords(one.cancel_online_until)} 前可以网上取消`),
        h("p", { class: "soft" }, `之后最晚 ${dayWords(one.cancel_office_until)}，本人持身份证原件到${office}取消`)],
    h("p", { class: "soft" }, "没有取消又没有参加考试的，按弃考登记"));
}
