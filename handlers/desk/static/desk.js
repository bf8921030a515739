// Small conveniences of the desk; every page works without them.
'use strict';

// --- photos: enlarge, rotate, zoom, move -------------------------------------------------------
document.querySelectorAll('.photo').forEach(function (figure) {
  const stage = figure.querySelector('.stage');
  const image = stage.querySelector('img');
  const look = { turn: 0, zoom: 1, x: 0, y: 0 };
  let from = null;

  function draw() {
    // Lying on its side, the picture has to fit the stage's other measure.
    const side = look.turn % 180 !== 0;
    image.style.width = side ? stage.clientHeight + 'px' : '';
    image.style.height = side ? stage.clientWidth + 'px' : '';
    image.style.position = side ? 'absolute' : '';
    image.style.left = side ? (stage.clientWidth - stage.clientHeight) / 2 + 'px' : '';
    image.style.top = side ? (stage.clientHeight - stage.clientWidth) / 2 + 'px' : '';
    image.style.transform =
      'translate(' + look.x + 'px,' + look.y + 'px) rotate(' + look.turn + 'deg) scale(' + look.zoom + ')';
    figure.classList.toggle('moving', look.zoom > 1);
  }

  function enlarge(on) {
    figure.classList.toggle('enlarged', on);
    look.x = look.y = 0;
    look.zoom = 1;
    draw();
    if (on) { stage.focus(); }
  }

  function zoom(factor) {
    look.zoom = Math.min(8, Math.max(1, look.zoom * factor));
    if (look.zoom === 1) { look.x = look.y = 0; }
    draw();
  }

  const doing = {
    enlarge: function () { enlarge(!figure.classList.contains('enlarged')); },
    rotate: function () { look.turn += 90; draw(); },
    in: function () { zoom(1.5); },
    out: function () { zoom(1 / 1.5); },
    reset: function () { look.turn = 0; enlarge(false); }
  };

  figure.querySelector('.tools').hidden = false;
  figure.querySelectorAll('[data-do]').forEach(function (button) {
    button.addEventListener('click', doing[button.dataset.do]);
  });
  stage.addEventListener('click', function (event) {
    event.preventDefault();
    if (look.zoom === 1) { doing.enlarge(); }
  });
  figure.addEventListener('keydown', function (event) {
    const key = { r: 'rotate', '+': 'in', '=': 'in', '-': 'out', 0: 'reset' }[event.key];
    if (event.key === 'Escape') { enlarge(false); } else if (key) { doing[key](); }
  });
  stage.addEventListener('wheel', function (event) {
    if (!figure.classList.contains('enlarged')) { return; }
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2);
  }, { passive: false });
  stage.addEventListener('dragstart', function (event) { event.preventDefault(); });
  stage.addEventListener('pointerdown', function (event) {
    if (look.zoom > 1) { from = { x: event.clientX - look.x, y: event.clientY - look.y }; }
  });
  window.addEventListener('pointermove', function (event) {
    if (!from) { return; }
    look.x = event.clientX - from.x;
    look.y = event.clientY - from.y;
    draw();
  });
  window.addEventListener('pointerup', function () { from = null; });
});

// --- sending back: a reason ticks its part, taking the tick away clears the reason -------------
document.querySelectorAll('.defects tbody tr').forEach(function (row) {
  const tick = row.querySelector('[type=checkbox]');
  const reasons = row.querySelectorAll('select, td:last-child input');
  reasons.forEach(function (input) {
    input.addEventListener('input', function () { if (input.value) { tick.checked = true; } });
    // Enter here would send the matter back before every defect is named.
    input.addEventListener('keydown', function (event) { if (event.key === 'Enter') { event.preventDefault(); } });
  });
  tick.addEventListener('change', function () {
    if (tick.checked) { reasons[0].focus(); return; }
    reasons.forEach(function (input) { input.value = ''; });
  });
});

// --- a form is sent once -----------------------------------------------------------------------
document.querySelectorAll('form[method=post]').forEach(function (form) {
  form.addEventListener('submit', function () {
    // Once the form has gone: a disabled button would not say which of several was pressed.
    setTimeout(function () {
      form.querySelectorAll('button').forEach(function (button) { button.disabled = true; });
    }, 0);
  });
});
window.addEventListener('pageshow', function () {
  document.querySelectorAll('button[disabled]').forEach(function (button) { button.disabled = false; });
});

document.querySelectorAll('[data-do=print]').forEach(function (button) {
  button.hidden = false;
  button.addEventListener('click', function () { window.print(); });
});
const problem = document.querySelector('[role=alert]');
if (problem && !document.querySelector('[autofocus]')) { problem.focus(); }
