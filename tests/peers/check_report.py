"""Pages of `suanli report` in a browser: check_report.py PAGE.html [--screenshots FOLDER]

Chromium (Debian's package chromium) opens the page without a network, light and dark, at the width of a desk and of a
phone. The check holds when the page is well-formed XML, runs no script and names no other file, shows every plot with
its size, is not wider than the phone, and is drawn on a light paper in the light theme and on a dark one in the dark.
"""
import argparse
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
import zlib

DESK, PHONE = 1100, 390
LIGHT, DARK = "1", "0"  # Blink's preferredColorScheme


def chromium(scheme, width, *arguments):
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("no chromium: apt-get install chromium")
    # A proxy that is not there: whatever the page would fetch fails.
    command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--proxy-server=127.0.0.1:1",
               "--allow-file-access-from-files", "--virtual-time-budget=2000", f"--window-size={width},2400",
               f"--blink-settings=preferredColorScheme={scheme}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def paper(png):
    """The colour of the upper left pixel, whose row and filter have nothing before them."""
    data, at, packed = png.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += length + 12
    return tuple(zlib.decompressobj().decompress(packed, 4)[1:4])


def measured(page, folder):
    """What a browser of a phone's width makes of the page: its width, and how many plots have a size."""
    frame = folder / "frame.html"
    frame.write_text(f"""<!DOCTYPE html><body style="margin:0"><iframe id="f" width="{PHONE}" height="900" style="border:0"
src="{page.as_uri()}"></iframe><script>addEventListener("load", () => {{
const d = document.getElementById("f").contentDocument, sizes = [...d.querySelectorAll("svg")].map(s => s.getBoundingClientRect());
document.title = [d.documentElement.scrollWidth, sizes.length, sizes.filter(s => s.width > 100 && s.height > 10).length,
  d.scripts.length].join(" ") }})</script></body>""", encoding="utf-8")
    dom = chromium(LIGHT, PHONE + 100, "--dump-dom", frame.as_uri())
    return [int(x) for x in re.search(r"<title>([\d ]+)</title>", dom).group(1).split()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    page = arguments.page.resolve()
    text = page.read_text(encoding="utf-8")
    tree = xml.etree.ElementTree.fromstring(text)
    plots = tree.findall(".//svg")
    assert plots and all(p.find("title") is not None for p in tree.findall(".//figure/svg")), "each plot has a title"
    for foreign in ("<script", "src=", "http", "url(", "@import"):
        assert foreign not in text, f"the page holds {foreign}"
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.screenshots or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        folded = sum(len(d.findall(".//svg")) for d in tree.findall(".//details"))
        width, drawn, sized, scripts = measured(page, pathlib.Path(scratch))
        assert scripts == 0 and drawn == len(plots), (drawn, len(plots))
        assert sized >= drawn - folded, f"{sized} of {drawn} plots have a size, {folded} are folded away"
        assert width <= PHONE, f"the page is {width} pixels wide on a phone of {PHONE}"
        for name, scheme, size in (("light", LIGHT, DESK), ("dark", DARK, DESK), ("phone", DARK, PHONE)):
            chromium(scheme, size, f"--screenshot={folder / name}.png", page.as_uri())
            colour = paper(folder / f"{name}.png")
            assert min(colour) > 200 if scheme == LIGHT else max(colour) < 60, f"{name}: the paper is {colour}"
    print(f"{page.name}: {len(plots)} plots, light and dark, {width} of {PHONE} pixels on a phone")


main()
