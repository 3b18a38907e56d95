"""Slack's markup as HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.workspace.page import markdown, mrkdwn
from bot.workspace.page.names import Names
from tests.workspace.page.markup import Page

NAMES = Names(
    viewer="U1",
    users={"U1": "이도윤", "U2": "한지우"},
    channels={"C1": "일반"},
    groups={"S1": "operators"},
    viewer_groups=frozenset({"S1"}),
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold*", "<b>bold</b>"),
        ("_it_ ~gone~", "<i>it</i> <s>gone</s>"),
        ("*a _b_ c*", "<b>a <i>b</i> c</b>"),
        ("*a* *b*", "<b>a</b> <b>b</b>"),
        ("a*b*c 2*3*4", "a*b*c 2*3*4"),
        ("snake_case_name", "snake_case_name"),
        ("* not *", "* not *"),
        ("*굵게*, *굵게*는", "<b>굵게</b>, *굵게*는"),
        ("`*x* <@U1>`", "<code>*x* &lt;@U1&gt;</code>"),
        ("a &amp; b &lt;c&gt; &quot;", "a &amp; b &lt;c&gt; &amp;quot;"),
        ("one\ntwo", "one<br>two"),
        ("&gt; a\n&gt; b\nc", "<blockquote>a<br>b</blockquote>c"),
        ("a\n&gt;&gt;&gt; b\nc", "a<blockquote>b<br>c</blockquote>"),
        ("x\n```\n*a*\n<b>\n```\ny", "x<pre><code>*a*\n&lt;b&gt;</code></pre>y"),
        (":white_check_mark: :rocket: :no_such_thing:", "✅ 🚀 :no_such_thing:"),
        (":+1::skin-tone-3:", "👍🏼"),
        ("10:30:45", "10:30:45"),
    ],
)
def test_it_renders_styles(text: str, html: str) -> None:
    assert str(mrkdwn.render(text, NAMES)) == html


def test_it_names_people_channels_and_groups() -> None:
    html = mrkdwn.render("<@U2> <@U1> <#C1> <!subteam^S1> <!here> <@U9|누구> <@U8>", NAMES)
    page = Page(html)
    assert page.text == "@한지우 @이도윤 #일반 @operators @here @누구 @U8"
    assert len(page.all("span", class_="mention me")) == 3


def test_a_date_is_left_to_the_browser_with_its_fallback() -> None:
    page = Page(mrkdwn.render("<!date^1392734382^{date_num} {time_secs}^https://a.kr|2014-02-18>", NAMES))
    assert page.all("time") == [{"data-unix": "1392734382", "data-pattern": "{date_num} {time_secs}"}]
    assert page.all("a")[0]["href"] == "https://a.kr"
    assert page.text == "2014-02-18"


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("<https://a.kr/x_y_z?a=1&amp;b=2|*주소*>", "https://a.kr/x_y_z?a=1&b=2", "*주소*"),
        ("<https://a.kr>", "https://a.kr", "https://a.kr"),
        ("<mailto:a@b.kr>", "mailto:a@b.kr", "a@b.kr"),
        ("보세요: https://a.kr/b_c_d.", "https://a.kr/b_c_d", "보세요: https://a.kr/b_c_d."),
    ],
)
def test_it_links_safe_addresses(text: str, address: str, shown: str) -> None:
    page = Page(mrkdwn.render(text, NAMES))
    assert page.all("a")[0]["href"] == address
    assert page.all("a")[0]["rel"] == "noopener noreferrer"
    assert page.text == shown


def test_verbatim_text_has_no_links_of_its_own() -> None:
    assert Page(mrkdwn.render("https://a.kr", NAMES, verbatim=True)).all("a") == []


def test_list_items_hang_behind_their_mark() -> None:
    page = Page(mrkdwn.render("머리\n• 하나\n• *둘*\n1. 셋", NAMES))
    assert len(page.all("span", class_="item item-0")) == 3
    assert page.all("b") != []


HOSTILE = [
    "<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;",
    "<img src=x onerror=alert(1)>",
    "<javascript:alert(1)|여기>",
    "<JaVaScRiPt:alert(1)>",
    "<data:text/html;base64,PHNjcmlwdD4=|x>",
    '<https://a.kr" onmouseover="alert(1)|x>',
    "<https://a.kr|<img src=x onerror=alert(1)>>",
    '<@U1" onclick="alert(1)>',
    '<!date^1^{date}" onx="^javascript:alert(1)|<b>x</b>>',
    '<!subteam^S9|"><script>alert(1)</script>>',
    "```</pre><script>alert(1)</script>```",
    "`</code><script>`",
    "*<i onclick=x>*",
    "\x020\x03 \x02999\x03",
    "https://a.kr/\"onclick='alert(1)'",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    for html in (mrkdwn.render(text, NAMES), mrkdwn.plain(text), markdown.render(text)):
        assert Page(html).dangers() == []


@given(st.text(alphabet="<>&;`*_~|!@#^:/\\\"'=\n\t ()[]javscriptht.kr0가\x02\x03", max_size=80))
def test_no_text_becomes_dangerous(text: str) -> None:
    for html in (mrkdwn.render(text, NAMES), mrkdwn.plain(text), markdown.render(text)):
        assert Page(html).dangers() == []


def test_markdown_has_headings_tables_and_strikes() -> None:
    page = Page(markdown.render("# 제목\n~~지움~~ **굵게** [x](https://a.kr)\n\n|a|b|\n|-|-:|\n|1|2|\n"))
    assert page.all("h1") and page.all("s") and page.all("strong")
    assert page.all("td", class_="right") == [{"class": "right"}]
    assert page.all("a")[0]["href"] == "https://a.kr"
