"""The frame of a report, without any flow."""

import subprocess
import sys

from eval_pipeline.reporting.page import CONTENT_SECURITY_POLICY, render_page


def test_the_frame_forbids_every_request() -> None:
    page = render_page("reporting/page.html", title="A & <b>\u202e")

    assert page.startswith("<!doctype html>")
    assert "<title>A &amp; &lt;b&gt;⟦U+202E⟧</title>" in page
    assert "default-src &#39;none&#39;" in page
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_importing_the_frame_does_not_import_the_template_engine() -> None:
    code = "import sys, eval_pipeline.reporting.page, eval_pipeline.text_eval.report; print('jinja2' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "False"
