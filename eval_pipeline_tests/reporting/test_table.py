"""One table, on the page and in Markdown."""

from markupsafe import Markup

from eval_pipeline.reporting.markdown import table_markdown
from eval_pipeline.reporting.table import Cell, Column, Table, said, table_html

TABLE = Table(
    caption="Cost",
    columns=[Column("For"), Column("USD", numeric=True)],
    rows=[[said("a|b <i>"), Cell("0.5", exact='0.51"')], [Cell("Total"), Cell("1", html=Markup("<b>1</b>"))]],
    last_is_total=True,
)


def test_the_page_escapes_what_others_said_and_keeps_our_markup() -> None:
    html = table_html(TABLE)

    assert '<th scope="row"><bdi>a|b &lt;i&gt;</bdi></th>' in html
    assert '<td data-label="USD" class="number" title="0.51&#34;">0.5</td>' in html
    assert "<b>1</b>" in html
    assert html.count('class="total"') == 1


def test_markdown_shows_the_same_cells() -> None:
    assert table_markdown(TABLE).splitlines() == [
        "| For | USD |",
        "| --- | ---: |",
        "| `a\\|b <i>` | 0.5 |",
        "| Total | 1 |",
    ]


def test_nothing_hides_in_headings() -> None:
    html = table_html(
        Table(caption="by <b>\u202e", columns=[Column("a"), Column("m\u202e")], rows=[[Cell("1"), Cell("2")]])
    )

    assert "\u202e" not in html
    assert html.count("m⟦U+202E⟧") == 2
    assert "<caption>by &lt;b&gt;⟦U+202E⟧</caption>" in html
