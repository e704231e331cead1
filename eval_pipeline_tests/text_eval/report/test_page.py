"""The page and the Markdown of a run: complete, calm about hostile input, without a single request."""

from dataclasses import replace

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.runs import RunState
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.text_eval.report.page import plot_markdown, render_html, render_markdown
from eval_pipeline.text_eval.scoring.summary import read_model
from eval_pipeline_tests.reporting.html_pages import read, told
from eval_pipeline_tests.text_eval.report.report_samples import ANSWERS_COST, COST, Given, report, score_summary

HOSTILE = "</style></title><script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>\u202e\x00"
SECTIONS = ["result", "scores", "answers", "categories", "consistency", "failures", "cost", "method", "provenance"]


def _given(value: float | None = 0.5, **others: object) -> Given:
    return replace(Given(scores={"cosine_similarity": value}), **others)  # type: ignore[arg-type] # any field


def test_a_full_report_has_its_sections_in_order() -> None:
    items = [_given(value, category="capitals") for value in (0.1, 0.9, 0.5)]
    items.append(_given(None, status="failed", answer=None, code="server_error", message="boom", category="rivers"))

    page = read(render_html(report(items, repeats=2)))

    assert [value for value in page.values("id") if value in SECTIONS] == SECTIONS
    assert set(page.values("href")) == {"data:,", *(f"#{name}" for name in SECTIONS if name != "scores")}


def test_it_says_what_was_evaluated() -> None:
    words = told(render_html(report([_given()] * 6, repeats=3)))

    assert "2 \u00d7 3 repeats" in words
    for fact in ("Capitals", "gpt-4o-mini", "Answer briefly.", "21 November 2026", "meera", "fast", "a" * 64, "5" * 64):
        assert fact in words


def test_hostile_words_are_shown_and_do_nothing() -> None:
    items = [
        _given(question=HOSTILE, golden=HOSTILE, answer=HOSTILE, category=HOSTILE, comment=HOSTILE, model=HOSTILE),
        _given(
            None, answer=None, status="incomplete", partial=HOSTILE, code=HOSTILE, message=HOSTILE, question=HOSTILE
        ),
    ]
    cost = Costs.of({**COST.parts, "response": replace(ANSWERS_COST, model=HOSTILE, rate=HOSTILE)})
    data = report(items * 2, repeats=2, cost=cost, dataset_name=HOSTILE, requested_by=HOSTILE)
    spec = {**data.run.spec, "model_body": {"model": HOSTILE, "instructions": HOSTILE, HOSTILE: HOSTILE}}
    html = render_html(replace(data, run=replace(data.run, spec=spec)))

    page = read(html)

    assert "alert(1)" in "".join(page.text)
    assert "\u202e" not in html
    assert "\x00" not in html
    assert html.count("<script") == 1
    assert page.values("onerror") == []


def test_nothing_is_loaded_and_no_address_becomes_a_link() -> None:
    answer = "see https://evil.example/a and [this](javascript:alert(1)) url(http://evil.example)"
    html = render_html(report([_given(answer=answer)]))
    page = read(html)
    style = html[html.index("<style>") : html.index("</style>")]

    assert all(value.startswith(("#", "data:,")) for value in page.values("href"))
    assert page.values("src") == []
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in page.values("content")[0]


def test_other_scripts_have_their_direction_and_fonts() -> None:
    html = render_html(report([_given(answer="नई दिल्ली"), _given(answer="القاهرة"), _given(answer="اسلام آباد ہے")]))

    assert '<span class="prose" dir="auto" lang="und-Deva">नई दिल्ली</span>' in html
    assert '<span class="prose" dir="auto" lang="und-Arab">القاهرة</span>' in html
    assert '<span class="prose" dir="auto" lang="ur">اسلام آباد ہے</span>' in html


def test_a_missed_threshold_stands_before_everything_with_both_numbers() -> None:
    items = [_given(None, answer=None, status="failed", code="x", message="y")] * 6 + [_given()] * 4

    words = told(render_html(report(items)))

    banner = "6 of 10 items failed (60%); at most 50% may fail."
    assert banner in words
    assert words.index(banner) < words.index("Dataset")


def test_a_run_that_kept_its_threshold_has_no_banner() -> None:
    assert "banner-bad" not in render_html(report([_given()])).split("</style>")[1]


def test_zero_items_are_a_breach_that_can_be_told() -> None:
    data = report([], threshold=Threshold(0.5, failed=0, total=0))

    assert "There was nothing to evaluate" in told(render_html(data))


def test_an_unfinished_run_says_so() -> None:
    assert "This run is not complete" in told(render_html(report([_given()], state=RunState.INCOMPLETE)))


def test_a_run_without_scores_shows_what_came_back() -> None:
    words = told(render_html(report([_given(), _given(None, answer=None, status="empty")], scored=False)))

    assert "Nothing was scored. 1 of 2 questions were answered" in words
    assert "Paris" in words
    assert "The answer was empty" in words


def test_a_cut_answer_is_shown_as_cut() -> None:
    words = told(render_html(report([_given(None, answer=None, status="incomplete", partial="The capital of")])))

    assert "Cut off: this is only the part that came back" in words
    assert "The capital of" in words


def test_an_unknown_price_is_not_zero() -> None:
    cost = Costs.of({"response": replace(ANSWERS_COST, unpriced=1)})
    data = report([_given()], cost=cost)

    assert told(render_html(data)).count("price unknown") >= 3
    assert "| Total |  |  |  |  |  | price unknown |" in render_markdown(data)
    assert "$0.00" not in render_html(data)


def test_a_folded_long_answer_is_whole_in_the_file() -> None:
    answer = "word " * 400 + "END"

    assert "END</span></details>" in render_html(report([_given(answer=answer)]))


def test_rows_beyond_the_first_ten_are_one_click_away() -> None:
    html = render_html(report([_given()] * 30))

    assert "Show 20 more" in html
    assert html.count('<article class="item">') == 30 + 2, "and the two in the middle"


def test_how_alike_texts_are_is_no_headline_and_is_shown_by_two_answers_near_the_middle() -> None:
    """It was headed by "0.49 of 1 cosine similarity": how many are right?"""
    values = [0.1, 0.2, 0.47, 0.5, 0.53, 0.9, 0.95]
    html = render_html(report([_given(value, question=f"question at {value}?") for value in values]))

    result = html[html.index('<section id="result">') : html.index('<section id="scores">')]
    assert 'class="figure"' not in result
    assert "How many answers are right was not measured" in result
    assert "text rescore capitals-2 --scorer contains" in result
    assert [value for value in values if f"question at {value}?" in result] == [0.5, 0.53]


def test_a_share_of_right_answers_leads_wherever_it_stands_among_the_scores() -> None:
    items = [Given(scores={"cosine_similarity": 0.9 - place / 10, "numeric": place % 2}) for place in range(4)]
    data = report(items)

    result = render_html(data).split('<section id="scores">')[0]
    assert ("50%<small>Same number" in result.replace("<bdi>", "").replace("</bdi>", ""), data.middle) == (True, ())
    assert [row.scores[1].value for row in data.rows] == [0, 0, 1, 1]
    assert render_markdown(data).startswith("**`numeric`: 50%.** 2 of 4 answers are correct")


def test_a_column_of_ids_does_not_make_a_page_of_categories() -> None:
    """100,000 of them made a report of 78 MB and 100,015 lines at the terminal."""
    items = [_given(category="largest")] * 3 + [_given(category=f"id-{number:04d}") for number in range(1_200)]
    data = report(items)
    assert data.summary is not None

    html = render_html(data)
    table = html[html.index('<section id="categories">') :].split("</section>")[0]
    assert "The 100 largest; and 1,101 more, whose items the export has." in table
    assert table.count("<tr>") == 1 + 100
    assert "largest</bdi>" in table
    kept = read_model(data.summary)
    assert (len(kept["category_metrics"]), kept["categories_left_out"]) == (1_000, 201)


def test_markdown_tells_headline_scores_failures_and_cost() -> None:
    failed = _given(None, answer=None, status="failed", code="server_error", message="boom <b> | `x`")

    text = render_markdown(report([_given(0.4), _given(0.6), failed]))

    assert text.startswith(
        "**How many answers are right was not measured.** `cosine_similarity`: On average 0.50 of 1."
    )
    assert "| `cosine_similarity` | 0.50 |" in text
    assert "- 1 \u00d7 The request failed `server_error`: `` boom <b> \\| `x` ``" in text
    assert "| Total |  |  |  |  |  | $0.0065 |" in text


def test_markdown_without_scores_leads_with_the_breach() -> None:
    failed = _given(None, answer=None, status="failed", code="x", message="y")

    assert render_markdown(report([failed], scored=False)).startswith("**This run missed its failure threshold.**")


def test_the_plot_is_an_image_inside_markdown() -> None:
    plot = plot_markdown(score_summary("cosine_similarity", [0.5], total=1))

    assert plot.startswith("![How the scores are spread](data:image/svg+xml;base64,")
