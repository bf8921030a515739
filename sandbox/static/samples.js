// Pictures to try things with, drawn here: nobody needs a photo of a real document.

import { ask, h, state } from "./lib.js";

const WIDTH = 1600, HEIGHT = 1040;
const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

function paper(tone, draw) {
  const canvas = h("canvas", { width: WIDTH, height: HEIGHT });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#7d6a58";
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  // The grain of a desk: a picture all of one colour is taken for an empty one.
  for (let n = 0; n < 260; n += 1) {
    pen.fillStyle = `rgba(40, 26, 14, ${0.02 + (n % 7) / 100})`;
    pen.fillRect(0, (n * 89) % HEIGHT, WIDTH, 1 + (n % 3));
  }
  pen.shadowColor = "#0008";
  pen.shadowBlur = 40;
  pen.fillStyle = tone;
  pen.beginPath();
  pen.roundRect(130, 90, WIDTH - 260, HEIGHT - 180, 36);
  pen.fill();
  pen.shadowBlur = 0;
  draw(pen);
  pen.fillStyle = "#b0202044";
  pen.font = `bold 150px ${FONT}`;
  pen.save();
  pen.translate(WIDTH / 2, HEIGHT / 2);
  pen.rotate(-0.35);
  pen.textAlign = "center";
  pen.fillText("样例 无效", 0, 50);
  pen.restore();
  return canvas;
}

function lines(pen, size, rows) {
  pen.fillStyle = "#26303c";
  pen.textAlign = "left";
  pen.font = `${size}px ${FONT}`;
  for (const [text, x, y] of rows) pen.fillText(text, x, y);
}

function idCard() {
  const { name, id_number } = state.identity || { name: "张三", id_number: "110101199001010000" };
  const born = [id_number.slice(6, 10), Number(id_number.slice(10, 12)), Number(id_number.slice(12, 14))];
  return paper("#eef3ef", (pen) => {
    lines(pen, 50, [["姓名", 210, 240], [name, 350, 240], ["性别", 210, 350], [Number(id_number[16]) % 2 ? "男" : "女", 350, 350],
      ["出生", 210, 460], [`${born[0]} 年 ${born[1]} 月 ${born[2]} 日`, 350, 460], ["住址", 210, 570], ["河南省示范市示范路1号", 350, 570],
      ["公民身份号码", 210, 840]]);
    lines(pen, 64, [[id_number, 570, 845]]);
    pen.fillStyle = "#cfdbe6";
    pen.fillRect(1050, 170, 350, 440);
    pen.fillStyle = "#b98f74";
    pen.beginPath();
    pen.ellipse(1225, 340, 90, 115, 0, 0, 7);
    pen.fill();
    pen.fillStyle = "#33445a";
    pen.beginPath();
    pen.ellipse(1225, 610, 160, 130, 0, Math.PI, 0);
    pen.fill();
  });
}

const proof = (sealed) => () => paper("#fdfcf8", (pen) => {
  pen.fillStyle = "#8a1f1f";
  pen.textAlign = "center";
  pen.font = `bold 92px ${FONT}`;
  pen.fillText("录 取 通 知 书", WIDTH / 2, 270);
  const name = state.identity?.name || "张三";
  lines(pen, 52, [[`${name} 同学：`, 230, 400], ["您已被样例大学录取，学制两年。", 330, 490], ["请于九月一日持本通知书来校报到。", 230, 580], ["样例大学", 1060, 750], ["七月一日", 1060, 830]]);
  if (!sealed) return;
  pen.strokeStyle = pen.fillStyle = "#d02020cc";
  pen.lineWidth = 12;
  pen.beginPath();
  pen.arc(1160, 760, 130, 0, 7);
  pen.stroke();
  pen.textAlign = "center";
  pen.font = `90px ${FONT}`;
  pen.fillText("★", 1160, 790);
});

const jpeg = (canvas, name) => new Promise((resolve) => {
  canvas.toBlob((blob) => resolve(new File([blob], name, { type: "image/jpeg" })), "image/jpeg", 0.9);
});

const SAMPLES = [
  ["身份证人像面", idCard, "id-card.jpg"],
  ["录取通知书，没有盖章", proof(false), "letter.jpg"],
  ["录取通知书，已盖章", proof(true), "letter-sealed.jpg"],
];

// Let the person choose a sample; gives a File, or null.
export function chooseSample() {
  return ask((choose) => [
    h("h2", {}, "选一张示例照片"),
    h("p", { class: "soft" }, "现画现用，都标着“样例”。自己的文件请用“图片”或“选择文件”上传。"),
    h("div", { class: "samples" }, SAMPLES.map(([label, make, name]) => {
      const canvas = make();
      return h("button", { class: "plain", onclick: async () => choose(await jpeg(canvas, name)) }, canvas, h("span", {}, label));
    }),
    h("button", { class: "plain", onclick: () => choose(new File(["<!DOCTYPE html><title>no photo</title>".padEnd(4000, " ")], "photo.jpg", { type: "image/jpeg" })) },
      h("div", { class: "no-photo" }, "photo.jpg"), h("span", {}, "改名成 .jpg 的网页"))),
    h("div", { class: "row end" }, h("button", { class: "plain", onclick: () => choose(null) }, "不发了")),
  ], null);
}
