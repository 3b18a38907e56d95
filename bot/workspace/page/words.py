"""What the page itself says, in Korean and English."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Every phrase of the page in one language; `{}` stands for a name or a number."""

    code: str
    other: str
    """the other language's code"""
    other_name: str
    skip: str
    menu: str
    channels: str
    apps: str
    directs: str
    act_as: str
    you_are: str
    theme: str
    theme_auto: str
    theme_light: str
    theme_dark: str
    keys: str
    unread: str
    online: str
    offline: str
    members: str
    archived: str
    join: str
    not_member: str
    read_only: str
    messages: str
    home: str
    home_empty: str
    beginning: str
    beginning_direct: str
    message_to: str
    reply: str
    reply_label: str
    also_send: str
    send: str
    attach: str
    remove_file: str
    completions: str
    composer_help: str
    thread: str
    thread_one: str
    thread_many: str
    last_reply: str
    close: str
    close_thread: str
    broadcast: str
    only_you: str
    dismiss: str
    edited: str
    app: str
    delete: str
    more: str
    add_reaction: str
    reactions: str
    download: str
    file: str
    video: str
    choose: str
    nothing_found: str
    searching: str
    type_more: str
    remove_choice: str
    optional: str
    cancel: str
    confirm: str
    confirm_title: str
    connection_lost: str
    failed: str
    new_messages: str
    now: str
    today: str
    yesterday: str
    command_failed: str
    command_unknown: str
    app_silent: str
    no_message: str
    not_found: str
    older: str
    shortcuts: str
    back: str
    keys_switch: str
    keys_compose: str
    keys_send: str
    keys_line: str
    keys_complete: str
    keys_messages: str
    keys_reply: str
    keys_escape: str


KOREAN = Words(
    code="ko",
    other="en",
    other_name="English",
    skip="메시지 입력란으로 건너뛰기",
    menu="메뉴",
    channels="채널",
    apps="앱",
    directs="다이렉트 메시지",
    act_as="다른 사람으로 보기",
    you_are="지금 나",
    theme="화면",
    theme_auto="자동",
    theme_light="밝게",
    theme_dark="어둡게",
    keys="단축키",
    unread="읽지 않음",
    online="연결됨",
    offline="연결 안 됨",
    members="멤버 {}명",
    archived="보관된 채널입니다. 메시지를 보낼 수 없습니다.",
    join="채널 참여",
    not_member="아직 이 채널의 멤버가 아닙니다.",
    read_only="이 앱은 메시지를 받지 않습니다.",
    messages="메시지",
    home="홈",
    home_empty="이 앱은 아직 홈 화면을 내보내지 않았습니다.",
    beginning="#{} 채널의 시작입니다.",
    beginning_direct="{} 님과 나누는 대화의 시작입니다.",
    message_to="{}에 메시지 보내기",
    reply="댓글 달기",
    reply_label="스레드에 댓글 달기",
    also_send="채널에도 보내기",
    send="보내기",
    attach="파일 첨부",
    remove_file="첨부 취소",
    completions="자동 완성",
    composer_help="Enter 보내기 · Shift+Enter 줄 바꿈 · / 명령 · @ 멘션",
    thread="스레드",
    thread_one="댓글 1개",
    thread_many="댓글 {}개",
    last_reply="마지막 댓글",
    close="닫기",
    close_thread="스레드 닫기",
    broadcast="스레드에 단 댓글:",
    only_you="나에게만 보임",
    dismiss="메시지 숨기기",
    edited="(편집됨)",
    app="앱",
    delete="삭제",
    more="추가 작업",
    add_reaction="반응 추가",
    reactions="반응",
    download="내려받기",
    file="파일",
    video="동영상",
    choose="선택",
    nothing_found="결과 없음",
    searching="찾는 중…",
    type_more="입력해서 찾기",
    remove_choice="{} 빼기",
    optional="(선택 사항)",
    cancel="취소",
    confirm="확인",
    confirm_title="계속할까요?",
    connection_lost="연결이 끊겼습니다. 다시 연결하는 중…",
    failed="처리하지 못했습니다: {}",
    new_messages="새 메시지",
    now="방금",
    today="오늘",
    yesterday="어제",
    command_failed="{} 명령이 “{}” 오류로 실패했습니다.",
    command_unknown="{} 명령은 없습니다. “/”로 시작하는 메시지는 모두 명령입니다.",
    app_silent="{} 앱이 응답하지 않았습니다 ({}). 다시 시도해 보세요.",
    no_message="스레드를 찾을 수 없습니다.",
    not_found="찾을 수 없습니다.",
    older="이전 메시지 보기",
    shortcuts="바로 가기",
    back="돌아가기",
    keys_switch="이전·다음 대화",
    keys_compose="입력란으로",
    keys_send="보내기",
    keys_line="줄 바꿈",
    keys_complete="자동 완성 고르기",
    keys_messages="메시지 사이 이동",
    keys_reply="메시지에서 스레드 열기",
    keys_escape="메뉴·창·스레드 닫기",
)

ENGLISH = Words(
    code="en",
    other="ko",
    other_name="한국어",
    skip="Skip to the message box",
    menu="Menu",
    channels="Channels",
    apps="Apps",
    directs="Direct messages",
    act_as="Act as someone else",
    you_are="You are",
    theme="Appearance",
    theme_auto="Auto",
    theme_light="Light",
    theme_dark="Dark",
    keys="Keyboard shortcuts",
    unread="unread",
    online="connected",
    offline="not connected",
    members="{} members",
    archived="This channel is archived. No messages can be sent.",
    join="Join channel",
    not_member="You are not a member of this channel yet.",
    read_only="This app does not take messages.",
    messages="Messages",
    home="Home",
    home_empty="This app has not published a Home tab yet.",
    beginning="This is the beginning of #{}.",
    beginning_direct="This is the beginning of your conversation with {}.",
    message_to="Message {}",
    reply="Reply in thread",
    reply_label="Reply to the thread",
    also_send="Also send to the channel",
    send="Send",
    attach="Attach a file",
    remove_file="Remove attachment",
    completions="Completions",
    composer_help="Enter sends · Shift+Enter new line · / commands · @ mentions",
    thread="Thread",
    thread_one="1 reply",
    thread_many="{} replies",
    last_reply="Last reply",
    close="Close",
    close_thread="Close thread",
    broadcast="replied to a thread:",
    only_you="Only visible to you",
    dismiss="Dismiss message",
    edited="(edited)",
    app="APP",
    delete="Delete",
    more="More actions",
    add_reaction="Add reaction",
    reactions="Reactions",
    download="Download",
    file="File",
    video="Video",
    choose="Choose",
    nothing_found="No results",
    searching="Searching…",
    type_more="Type to search",
    remove_choice="Remove {}",
    optional="(optional)",
    cancel="Cancel",
    confirm="Confirm",
    confirm_title="Are you sure?",
    connection_lost="Connection lost. Reconnecting…",
    failed="That did not work: {}",
    new_messages="New messages",
    now="just now",
    today="Today",
    yesterday="Yesterday",
    command_failed="{} failed with the error “{}”.",
    command_unknown="{} is not a valid command. Messages that start with “/” are commands.",
    app_silent="{} did not respond ({}). Please try again.",
    no_message="There is no such thread.",
    not_found="Not found.",
    older="Show earlier messages",
    shortcuts="Shortcuts",
    back="Go back",
    keys_switch="Previous or next conversation",
    keys_compose="To the message box",
    keys_send="Send",
    keys_line="New line",
    keys_complete="Pick a completion",
    keys_messages="Move between messages",
    keys_reply="Open a message's thread",
    keys_escape="Close menu, dialog or thread",
)

LANGUAGES = {words.code: words for words in (KOREAN, ENGLISH)}

_ACCEPTED = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[\w-]+)?\s*(?:;\s*q=([\d.]+))?\s*")


def choose(cookie: str | None, accept_language: str) -> Words:
    """The words for a reader: his own choice, else the best of `Accept-Language`, else Korean."""
    if cookie in LANGUAGES:
        return LANGUAGES[cookie]
    ranked: list[tuple[float, Words]] = []
    for part in accept_language.split(","):
        match = _ACCEPTED.fullmatch(part)
        if match and (words := LANGUAGES.get(match[1].lower())):
            ranked.append((float(match[2] or 1), words))
    # `max` keeps the earlier of equals, which is the one the browser names first.
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else KOREAN
