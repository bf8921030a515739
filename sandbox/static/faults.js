// The switches of the gateways.

import { $, h, json, values } from "./lib.js";

const FAULTS = {
  wechat: { slow: "变慢", down: "停机", drop_after_accept: "收下后断线", error: "返回错误", token_expired: "令牌过期", quota: "额度用完" },
  sms: { slow: "变慢", down: "停机", drop_after_accept: "收下后断线", error: "返回错误", undelivered: "未送达", no_receipt: "没有回执" },
};

function list() {
  const form = $("fault-form");
  form.fault.replaceChildren(...Object.entries(FAULTS[form.gateway.value]).map(([value, label]) => h("option", { value }, label)));
}

function show(shown) {
  $("fault-state").textContent = shown.faults.map((one) => `${one.gateway === "sms" ? "短信" : "微信"}${FAULTS[one.gateway][one.fault]}`).join("，");
  $("fault-counts").textContent = JSON.stringify(shown.counts, null, 1);
}

export function connectFaults() {
  $("fault-form").gateway.addEventListener("change", list);
  $("fault-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { gateway, fault, code, seconds, times } = values(event.target);
    try {
      show(await json("POST", "/sandbox/faults", { gateway, fault, code, seconds: Number(seconds), ...(times ? { times: Number(times) } : {}) }));
    } catch (error) {
      $("fault-counts").textContent = error.message;
    }
  });
  $("fault-clear").addEventListener("click", async () => show(await json("DELETE", "/sandbox/faults")));
  $("faults").addEventListener("toggle", async () => show(await json("GET", "/sandbox/faults")));
  list();
}
