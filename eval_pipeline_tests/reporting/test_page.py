"""The frame of a report, without any flow."""

import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from pathlib import Path

from jinja2 import DictLoader, Environment

from eval_pipeline.reporting.page import CONTENT_SECURITY_POLICY, render_page, write_page, write_pieces


def test_the_frame_forbids_every_request() -> None:
    page = render_page("reporting/page.html", title="A & <b>\u202e")

    assert page.startswith("<!doctype html>")
    assert "<title>A &amp; &lt;b&gt;⟦U+202E⟧</title>" in page
    assert "default-src &#39;none&#39;" in page
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_importing_the_frame_does_not_import_the_template_engine() -> None:
    code = (
        "import sys, eval_pipeline.reporting.page, eval_pipeline.text_eval.report.page; print('jinja2' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "False"


def test_a_page_that_plays_sound_runs_one_script_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "page.html"

    write_page(
        path, "reporting/page.html", style="stt_eval/report/page.css", script="stt_eval/report/page.js", title="A"
    )

    html = path.read_text("utf-8")
    code = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    assert code is not None
    digest = b64encode(sha256(code[1].encode()).digest()).decode()
    assert unescape(re.findall(r'Security-Policy" content="([^"]*)"', html)[0]) == (
        f"{CONTENT_SECURITY_POLICY}; media-src data: 'self' file:; script-src 'sha256-{digest}'"
    )


def test_a_page_is_written_while_its_values_come(tmp_path: Path) -> None:
    """A thousand samples with their sounds, each made when its turn comes, never lie in memory together."""
    environment = Environment(
        loader=DictLoader({"page": "{% for one in values %}{{ one }}{% endfor %}"}), autoescape=True
    )
    sizes = []
    path = tmp_path / "page.html"

    def values() -> Iterator[str]:
        for number in range(200):
            sizes.append(path.stat().st_size)
            yield str(number) * 10_000

    write_pieces(path, environment.get_template("page").stream(values=values()))

    assert sizes[-1] > 1_000_000
