"""The `markdown` block: ordinary Markdown as safe HTML."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from bot.workspace.page import emoji
from bot.workspace.page.hyphens import joined
from bot.workspace.page.mrkdwn import is_safe


class _Renderer(RendererHTML):
    """Links open apart from the page; a picture becomes a link to it, as Slack shows it."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return str(joined(emoji.replace(tokens[idx].content)))

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return str(Markup("<code>{}</code>").format(joined(tokens[idx].content)))

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        address = str(tokens[idx].attrGet("href") or "")
        return str(
            Markup('<a href="{}" target="_blank" rel="noopener noreferrer">').format(
                address if is_safe(address) else ""
            )
        )

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        address = str(tokens[idx].attrGet("src") or "")
        if not is_safe(address):
            return str(escape(tokens[idx].content))
        shape = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>')
        return str(shape.format(address, tokens[idx].content or address))

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="table-wrap" tabindex="0"><table>'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f'<th class="{_alignment(tokens[idx])}">'

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f'<td class="{_alignment(tokens[idx])}">'


def _alignment(cell: Token) -> str:
    """The column's alignment as a class: the page's policy refuses `style` attributes."""
    style = str(cell.attrGet("style") or "")
    return next((side for side in ("right", "center") if style.endswith(side)), "left")


_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer).enable(
    ["table", "strikethrough"]
)
_MARKDOWN.validateLink = is_safe  # type: ignore[method-assign]  # the library's documented way to set it


def render(text: str) -> Markup:
    """Markdown as HTML; raw HTML in it is shown as text."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704  (every leaf of the renderer escapes)
