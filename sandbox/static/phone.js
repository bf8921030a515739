// The citizen's phone: chat and SMS from the sandbox, the mini-program by calls to the service through /mini/.

import { connectChat, drawShortcuts, forget, poll } from "./chat.js";
import { connectFaults } from "./faults.js";
import { $, h, json, state } from "./lib.js";
import { back, beginWith, refresh, renew, restart, token } from "./mini.js";
import { home, loginPage } from "./pages.js";
import { addPerson, identify, showGuide, showWelcome } from "./people.js";

async function take(wanted) {
  const people = await json("GET", "/sandbox/people");
  const key = wanted || localStorage.getItem("person");
  state.person = people.find((one) => one.person === key) || people.at(-1) || null;
  $("welcome").hidden = Boolean(state.person);
  $("phones").hidden = $("who").hidden = !state.person;
  if (!state.person) { showWelcome(take); return; }
  $("person").replaceChildren(...people.map((one) => h("option", { value: one.person, selected: one === state.person }, `${one.name} ${one.phone}`)));
  localStorage.setItem("person", state.person.person);
  identify();
  forget();
  await poll();
  drawShortcuts();
  await renew();
  await restart(token() ? home : loginPage);
}

function connected(yes) {
  $("number").textContent = yes ? state.person?.phone || "" : "沙盒没有应答";
}

$("person").addEventListener("change", (event) => take(event.target.value));
$("add").addEventListener("click", () => addPerson(take));
$("guide").addEventListener("click", showGuide);
$("back").addEventListener("click", back);
connectFaults();
connectChat(refresh);
beginWith(loginPage);
state.demo = await json("GET", "/sandbox/demo");
$("desk").href = `${state.demo.service}/desk/`;
$("public").href = `${state.demo.service}/`;
await take();
connected(true);
setInterval(() => { if (!document.hidden) poll().then(() => connected(true), () => connected(false)); }, 1000);
