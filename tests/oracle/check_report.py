# SPDX-License-Identifier: Apache-2.0
"""The report's page in a real browser, headless Chromium.

A small run is made and its page opened at the width of a phone and of a desk, in light and
in dark: no script error, nothing loaded from anywhere, nothing wider than the window,
curves and confusion matrix drawn, text of enough contrast.  Its numbers are those of
metrics.csv and those that scikit-learn, or plain counting where it is missing, makes of
the answers to single images.  The page in Spanish, where such a locale can be made, has the
same numbers and fits on a phone too.

usage: check_report.py AFINA MAKE_PICTURES WEIGHTS [FOLDER FOR SCREENSHOTS]
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import unescape
from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser",
                                               "google-chrome"))), None)
if not BROWSER:
    print("skipped: no chromium")
    sys.exit(77)

# Collects what goes wrong, before anything of the page runs.
BEFORE = """<script>var trouble=[];
addEventListener('error',function(e){trouble.push('error: '+(e.message||e.target.src))},true);
addEventListener('securitypolicyviolation',function(e){trouble.push('load: '+e.blockedURI)});
</script>"""

# Writes down what the finished page is like.
AFTER = """<script>addEventListener('load',function(){setTimeout(function(){
function seen(q){return Array.from(document.querySelectorAll(q)).filter(function(e){
  var r=e.getBoundingClientRect();return r.width>1&&r.height>1}).length}
function rgb(c){var m=c.match(/[\\d.]+/g).map(Number);return m.length>3&&m[3]==0?null:m}
function light(c){var v=c.slice(0,3).map(function(x){x/=255;
  return x<=.04045?x/12.92:Math.pow((x+.055)/1.055,2.4)});
  return .2126*v[0]+.7152*v[1]+.0722*v[2]}
function behind(e){for(;e;e=e.parentElement){var c=rgb(getComputedStyle(e).backgroundColor);
  if(c)return c}return [255,255,255]}
var weak=[];document.querySelectorAll('body *').forEach(function(e){
  if(e.closest('svg')||e.closest('details:not([open])'))return;
  var own=Array.from(e.childNodes).some(function(n){return n.nodeType==3&&n.data.trim()});
  if(!own||!e.getBoundingClientRect().width||e.tagName=='SCRIPT')return;
  var a=light(rgb(getComputedStyle(e).color)),b=light(behind(e));
  var ratio=(Math.max(a,b)+.05)/(Math.min(a,b)+.05);
  if(ratio<4.5)weak.push(e.tagName+' '+e.textContent.slice(0,30)+' '+ratio.toFixed(2))});
var wide=[];document.querySelectorAll('body *').forEach(function(e){
  if(!e.closest('.scroll')&&e.getBoundingClientRect().right>innerWidth+1)
    wide.push(e.tagName+'.'+e.className)});
parent.postMessage(JSON.stringify({
  trouble:trouble,width:innerWidth,wide:wide,weak:weak,
  dark:matchMedia('(prefers-color-scheme: dark)').matches,
  ground:getComputedStyle(document.body).backgroundColor,
  loads:performance.getEntriesByType('resource').map(function(r){return r.name})
    .filter(function(n){return n.slice(0,5)!='data:'}),
  curves:seen('#epochs svg .line'),matrix:seen('.matrix td'),bars:seen('#calibration .bar'),
  pictures:seen('.gallery img')}),'*')},200)});</script>"""

# A window is never as narrow as a telephone, but a frame can be.
FRAME = """<!doctype html><body style="margin:0"><iframe src="%s" style="border:0;
width:%dpx;height:%dpx"></iframe><script>addEventListener('message',function(e){
var p=document.createElement('pre');p.id='probe';p.textContent=e.data;
document.body.appendChild(p)})</script>"""


def browse(page, width, height, dark, *what):
    frame = page.parent / "frame.html"
    frame.write_text(FRAME % (page.name, width, height))
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--disable-background-networking", "--no-first-run", "--disable-sync",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=3000",
         f"--window-size={width},{height}", f"--blink-settings=preferredColorScheme={int(not dark)}",
         f"--user-data-dir={page.parent / 'profile'}", *what, frame.as_uri()],
        capture_output=True, text=True, timeout=120)
    return done.stdout


def probe(page, width, dark):
    """What the page is like in a frame of this width."""
    inside = page.parent / "probed.html"
    text = page.read_text()
    text = text.replace("<head>", "<head>" + BEFORE, 1)
    text = text.replace("</body>", AFTER + "</body>", 1)
    inside.write_text(text)
    shown = browse(inside, width, 900, dark, "--dump-dom")
    found = re.search(r'<pre id="probe">(.*?)</pre>', shown, re.S)
    if not found:
        sys.exit(f"the browser showed no page: {shown[:500]!r}")
    return json.loads(unescape(found.group(1)))


def look(page, width, dark, classes):
    """Complaints about the page as it is shown."""
    r = probe(page, width, dark)
    where = f"{r['width']} pixels, {'dark' if dark else 'light'}"
    if r["trouble"] or r["loads"]:
        yield f"{where}: {r['trouble']}, loads {r['loads']}"
    if r["dark"] != dark:
        yield f"{where}: the browser does not follow"
    if abs(r["width"] - width) > 1:
        yield f"{where}: the window is not as wide as asked for"
    if r["wide"]:
        yield f"{where}: wider than the window: {r['wide'][:5]}"
    if r["weak"]:
        yield f"{where}: contrast below 4.5: {r['weak'][:5]}"
    if r["curves"] < 3 or r["matrix"] != classes ** 2 or not r["bars"] or not r["pictures"]:
        yield f"{where}: {r}"


# ---- numbers ----

def rows_of(html):
    """Texts of the cells of each row; small print is left out."""
    html = re.sub(r"<small>.*?</small>", "", html)
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.S):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        yield [unescape(re.sub(r"<.*?>", "", cell)).replace("\xa0", " ").strip()
               for cell in cells]


def section(html, name):
    return re.search(rf'<section id="{name}">(.*?)</section>', html, re.S).group(1)


def percent(value):
    return f"{100 * value:.2f} %"


def epochs_differ(html, run):
    want = [[f"{e['phase']} {e['epoch']}", f"{float(e['train_loss']):.4f}",
             percent(float(e["train_acc"])), f"{float(e['val_loss']):.4f}",
             percent(float(e["val_acc"]))]
            for e in csv.DictReader(open(run / "metrics.csv"))]
    got = [[row[0].replace(" (kept)", ""), *row[1:5]]
           for row in rows_of(section(html, "epochs")) if row[0] != "epoch"]
    if got != want:
        yield f"epochs of the page: {got}, of metrics.csv: {want}"


def counted(truth, said, classes):
    """Confusion matrix, and per class recall, precision, F1."""
    matrix = [[sum(t == a and s == b for t, s in zip(truth, said)) for b in classes]
              for a in classes]
    scores = []
    for i in range(len(classes)):
        right, images = matrix[i][i], sum(matrix[i])
        predicted = sum(row[i] for row in matrix)
        scores.append((right / images if images else 0.0,
                       right / predicted if predicted else 0.0,
                       2 * right / (images + predicted) if images + predicted else 0.0))
    try:
        from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
    except ImportError:
        return matrix, scores
    theirs = confusion_matrix(truth, said, labels=classes).tolist()
    p, r, f, _ = precision_recall_fscore_support(truth, said, labels=classes, zero_division=0)
    return theirs, list(zip(r, p, f))


def evaluation_differs(html, answers):
    truth, said = [a["class"] for a in answers], [a["predicted"] for a in answers]
    classes = sorted(set(truth))
    matrix, scores = counted(truth, said, classes)
    got = [[int(x) for x in row[1:]]
           for row in rows_of(section(html, "confusion")) if row[0] in classes]
    if got != matrix:
        yield f"matrix of the page: {got}, counted: {matrix}"
    rows = {row[0]: row[3:6] for row in rows_of(section(html, "classes"))}
    for name, score in zip(classes, scores):
        want = [percent(x) for x in score]
        shown = [x if x != "–" else percent(0) for x in rows[name]]
        if shown != want:
            yield f"{name}: recall, precision, F1 of the page: {shown}, counted: {want}"
    right = percent(sum(t == s for t, s in zip(truth, said)) / len(truth))
    if right not in section(html, "summary").replace("\xa0", " "):
        yield f"accuracy {right} is not in the summary"


def in_spanish(afina, folder):
    """The command beside its catalogue, and the environment that makes it speak Spanish;
    None where either cannot be made"""
    built = Path(os.environ.get("AFN_BUILD_DIR", "")) / "po" / "es" / "LC_MESSAGES"
    if not (built / "afina.mo").exists() or not shutil.which("localedef"):
        return None
    made = subprocess.run(["localedef", "-i", "es_ES", "-f", "UTF-8",
                           str(folder / "es_ES.UTF-8")], capture_output=True)
    if made.returncode:
        return None
    (folder / "moved" / "bin").mkdir(parents=True)
    catalogues = folder / "moved" / "share" / "locale" / "es" / "LC_MESSAGES"
    catalogues.mkdir(parents=True)
    shutil.copy(built / "afina.mo", catalogues)
    command = shutil.copy(afina, folder / "moved" / "bin")
    return command, {**os.environ, "LOCPATH": str(folder), "LC_ALL": "es_ES.UTF-8"}


def numbers_of(html):
    """All that a reader sees, but for when the page was made"""
    body = html[html.index("<body>"):].replace("data:image/jpeg;base64", "")
    text = re.sub(r"<.*?>", " ", re.sub(r"<tr>[^\n]* UTC</td></tr>", "", body), flags=re.S)
    return re.findall(r"\d+(?:\.\d+)?", unescape(text))


def translation_differs(html, page, classes):
    spanish = page.read_text()
    if '<html lang="es">' not in spanish or "<h2>Resumen</h2>" not in spanish:
        yield "the page is not in Spanish"
    if numbers_of(spanish) != numbers_of(html):
        yield "the page in Spanish has other numbers"
    yield from look(page, 390, False, classes)


def run(*command, env=None):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{command}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def main():
    afina, make_pictures, weights = (Path(a).resolve() for a in sys.argv[1:4])
    shots = Path(sys.argv[4]).resolve() if len(sys.argv) > 4 else None
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for part, count, seed in (("train", 12, 1), ("val", 8, 2)):
            (folder / "photos").mkdir(exist_ok=True)
            run(make_pictures, "exercise", folder / "photos" / part, count, seed)
        model = folder / "run" / "model.safetensors"
        run(afina, "train", folder / "photos", "--weights", weights, "--batch", 16,
            "--quiet", "--head-epochs", 2, "--tune-epochs", 2, "--out", folder / "run")
        run(afina, "report", folder / "run", "--data", folder / "photos")
        answers = list(csv.DictReader(run(afina, "eval", model, folder / "photos", "--csv",
                                          "-").splitlines()))
        page = folder / "run" / "report.html"
        html = page.read_text()
        bad += epochs_differ(html, folder / "run")
        bad += evaluation_differs(html, answers)
        for width in (390, 1280):
            for dark in (False, True):
                bad += look(page, width, dark, len({a["class"] for a in answers}))
                if shots:
                    name = f"report-{width}-{'dark' if dark else 'light'}.png"
                    browse(page, width, 9000 if width < 500 else 5000, dark,
                           f"--screenshot={shots / name}")
        spanish = in_spanish(afina, folder)
        if spanish:
            run(spanish[0], "report", folder / "run", "--data", folder / "photos",
                env=spanish[1])
            bad += translation_differs(html, page, len({a["class"] for a in answers}))
    for line in bad:
        print("FAILED ", line)
    print(f"{len(answers)} images, 4 views, {len(bad)} findings")
    return 1 if bad else 0


sys.exit(main())
