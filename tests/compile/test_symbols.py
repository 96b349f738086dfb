"""Symbol codecs: native ids both ways by formats alone."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile.expiry import day_pattern, read_day, write_day
from cexspec.compile.symbols import Codec, compile_symbols
from cexspec.models import Symbol
from cexspec.spec.model import Symbols
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position

DASHED: dict[str, Any] = {
    "formats": {
        "spot": "{base}-{quote}",
        "perpetual": "{base}-{quote}-SWAP",
        "future": "{base}-{quote}-{expiry:%y%m%d}",
        "option": "{base}-{quote}-{expiry:%y%m%d}-{strike}-{right}",
    },
    "inverse_quotes": ["USD"],
    "examples": {
        "BTC/USDT": "BTC-USDT",
        "BTC/USDT:PERP": "BTC-USDT-SWAP",
        "BTC/USD:PERP:BTC": "BTC-USD-SWAP",
        "BTC/USD:FUT:20260925:BTC": "BTC-USD-260925",
        "BTC/USD:OPT:C:92000:20260925:BTC": "BTC-USD-260925-92000-C",
        "币安人生/USDT": "币安人生-USDT",
    },
}
PREFIXED: dict[str, Any] = {
    "formats": {"spot": ["t{base:3}{quote:3}", "t{base}:{quote}"], "perpetual": "t{base}F0:{quote}F0"},
    "aliases": {"UST": "USDT", "LUNA": "LUNC", "LUNA2": "LUNA"},
    "examples": {
        "BTC/USDT": "tBTCUST",
        "DOGE/USD": "tDOGE:USD",
        "BTC/USDT:PERP": "tBTCF0:USTF0",
        "LUNA/USD": "tLUNA2:USD",
        "LUNC/USD": "tLUNA:USD",
    },
}
TOUCHING: dict[str, Any] = {
    "formats": {"spot": "{base}{quote}", "perpetual": "{base}{quote}_PERP", "future": "{base}{quote}_{expiry:%y%m%d}"},
    "quotes": ["USDT", "USD", "BUSD", "BTC"],
    "inverse_quotes": ["USD"],
    "examples": {
        "BTC/USDT": "BTCUSDT",
        "A/BUSD": "ABUSD",
        "BTC/USD:PERP:BTC": "BTCUSD_PERP",
        "BTC/USD:FUT:20260925:BTC": "BTCUSD_260925",
    },
}
WORDED: dict[str, Any] = {
    "formats": {
        "perpetual": [{"format": "{base}-PERP/{quote}", "settle": "base"}, {"format": "{base}_{quote}-PERP", "settle": "quote"}],
        "future": ["{base}_{quote}-{expiry:%-d%b%y}", "{quote}{base}-{settle}@{expiry:%Y-%m-%d}"],
        "option": "{base}_{quote}-{expiry:%d%b%y}-{strike}{right}",
    },
    "quotes": ["USDC", "USD"],
    "examples": {
        "BTC/USDC:PERP": "BTC_USDC-PERP",
        "BTC/USD:PERP:BTC": "BTC-PERP/USD",
        "BTC/USDC:FUT:20260905": "BTC_USDC-5SEP26",
        "BTC/USDC:FUT:20260915:ETH": "USDCBTC-ETH@2026-09-15",
        "BTC/USDC:OPT:P:0.5:20260905": "BTC_USDC-05SEP26-0.5P",
    },
}
QUARTERLY: dict[str, Any] = {
    "formats": {"future": ["{base}{quote}-{expiry:%-d%b%y}", {"format": "{base}{quote}{expiry:%q%y}", "settle": "base"}]},
    "quotes": ["USDT", "USD"],
    "examples": {
        "BTC/USDT:FUT:20250221": "BTCUSDT-21FEB25",
        "BTC/USD:FUT:20230331:BTC": "BTCUSDH23",
        "BTC/USD:FUT:20250627:BTC": "BTCUSDM25",
        "ETH/USD:FUT:20250926:ETH": "ETHUSDU25",
        "ETH/USD:FUT:20991225:ETH": "ETHUSDZ99",
    },
}
SPELT: dict[str, Any] = {
    "formats": {
        "spot": [
            "{base}{quote}",
            {"format": "{base}/{quote}", "read_only": True, "codes": "common"},
            {"format": "{base}\\{quote}", "read_only": True},
            {"format": "X{base:3}Z{quote:3}", "read_only": True},
        ],
    },
    "quotes": ["USD", "USDT", "XBT"],
    "aliases": {"XBT": "BTC", "LUNA": "LUNC", "LUNA2": "LUNA"},
    "examples": {"BTC/USD": "XBTUSD", "BTC/USDT": "BTC/USDT", "ETH/BTC": "ETH\\XBT", "LTC/USD": "XLTCZUSD", "LUNA/BTC": "LUNA/BTC"},
}
QUOTED: dict[str, Any] = {
    "formats": {
        "future": [{"format": "{base}{expiry:%y%m%d}", "quote": "USDC"}, {"format": "{base:4}@{expiry:%q%y}", "quote": "USD"}],
        "perpetual": [{"format": "{base}", "quote": "USDC", "replace": {":": "-", " ": "_"}}, {"format": "{base}.P", "quote": "USD"}],
    },
    "inverse_quotes": ["USD"],
    "examples": {
        "kPEPE/USDC:PERP": "kPEPE",
        "xyz-TSLA/USDC:PERP": "xyz:TSLA",
        "a_b/USDC:PERP": "a b",
        "BTC/USD:PERP:BTC": "BTC.P",
        "BTC/USDC:FUT:20260925": "BTC260925",
        "DOGE/USD:FUT:20260925:DOGE": "DOGE@U26",
    },
}
COMMON: dict[str, Any] = {
    "formats": {"spot": {"format": "{base}-{quote}", "codes": "common"}, "perpetual": "{base}-{quote}-P"},
    "aliases": {"UST": "USDT", "LUNA": "LUNC", "LUNA2": "LUNA"},
    "examples": {"LUNA/USDT": "LUNA-USDT", "LUNA/USDT:PERP": "LUNA2-UST-P"},
}
IRREGULAR: dict[str, Any] = {
    "formats": {"future": "{base}{quote}{expiry:%y%m%d}", "perpetual": {"format": "{base}", "quote": "USDC"}},
    "quotes": ["USDT", "USD"],
    "irregular": {"@107": "HYPE/USDC", "PURR/USDC": "PURR/USDC", "USDTZ": "USDT/USD:PERP", "ABUSDT260925": "ABUS/USDT:FUT:20260925"},
    "examples": {"BTC/USDC:PERP": "BTC", "PURR/USDC": "PURR/USDC", "USDT/USD:PERP": "USDTZ", "BTC/USDT:FUT:20260925": "BTCUSDT260925"},
}
RULES = {
    "dashed": DASHED,
    "prefixed": PREFIXED,
    "touching": TOUCHING,
    "worded": WORDED,
    "quarterly": QUARTERLY,
    "quoted": QUOTED,
    "common": COMMON,
    "irregular": IRREGULAR,
}


def collect() -> Findings:
    return Findings(lambda where: Position("spec.yaml", 1, 1))


def codec(rules: dict[str, Any]) -> Codec:
    findings = collect()
    compiled = compile_symbols(Symbols.model_validate(rules), (), findings)
    assert findings.problems == []
    return compiled


# Read as its examples say, but not always written so: other spellings.
READING = {**RULES, "spelt": SPELT}
EXAMPLES = [(name, text, native) for name, rules in RULES.items() for text, native in rules["examples"].items()]


@pytest.mark.parametrize(("rules", "text", "native"), EXAMPLES, ids=[f"{row[0]} {row[2]}" for row in EXAMPLES])
def test_an_example_goes_both_ways(rules: str, text: str, native: str) -> None:
    compiled = codec(RULES[rules])
    assert compiled.parse(native) == (text, Symbol.parse(text).kind)
    assert compiled.format(text) == native


UNREAD = [
    ("dashed", "BTC"),
    ("dashed", "BTC-USDT-XX"),
    ("dashed", "BTC-USD-260231"),
    ("dashed", "-USDT"),
    ("dashed", "BTC/X-USDT"),
    ("dashed", "A" * 33 + "-USDT"),
    ("dashed", "B" * 60 + "-USDT"),
    ("dashed", "BTC-USD-260925-0-C"),
    ("prefixed", "tBTCUSDT"),
    ("prefixed", "tBTC:USDT"),
    ("prefixed", "tLUNC:USD"),
    ("prefixed", "fUSD"),
    ("touching", "BTCEUR"),
    ("touching", "USDT"),
    ("worded", "BTC_USDC-00SEP26"),
    ("worded", "BTC_USDC-5sep26"),
    ("quarterly", "BTCUSDF23"),
    ("quarterly", "BTCUSDH3"),
    ("quoted", "@107"),
    ("quoted", "xyz-TSLA"),
    ("quoted", "a/b"),
    ("quoted", "BTC@U26"),
    ("common", "BTC-UST"),
    ("common", "BTC-USDT-P"),
    ("spelt", "XBT/USD"),
    ("irregular", "@108"),
    ("irregular", "HYPE/USDC"),
]


@pytest.mark.parametrize(("rules", "native"), UNREAD, ids=[f"{row[0]} {row[1][:24]}" for row in UNREAD])
def test_what_no_rule_reads_is_none(rules: str, native: str) -> None:
    assert codec(READING[rules]).parse(native) is None


UNWRITTEN = [
    ("dashed", "nonsense"),
    ("dashed", "BTC/USD:PERP"),
    ("dashed", "A-B/USDT"),
    ("prefixed", "BTC/UST"),
    ("prefixed", "BTC/USDT:FUT:20260925"),
    ("prefixed", "BTC/USD:PERP:UST"),
    ("touching", "AB/USD"),
    ("touching", "BTC/EUR"),
    ("worded", "BTC/USDC:PERP:ETH"),
    ("quarterly", "BTC/USD:FUT:20230330:BTC"),
    ("quarterly", "BTC/USD:FUT:20230428:BTC"),
    ("quoted", "BTC/USDT:PERP"),
    ("quoted", "BTC/USD:PERP"),
    ("quoted", "@107/USDC:PERP"),
    ("quoted", "BTC/USDC:FUT:20260925:BTC"),
    ("common", "BTC/UST"),
    ("common", "LUNA2/USDT"),
    ("irregular", "PURR/USD"),
    ("irregular", "USDTZ/USDC:PERP"),
]


@pytest.mark.parametrize(("rules", "text"), UNWRITTEN, ids=[f"{row[0]} {row[1]}" for row in UNWRITTEN])
def test_what_would_not_read_back_is_not_written(rules: str, text: str) -> None:
    assert codec(RULES[rules]).format(text) is None


@pytest.mark.parametrize(("text", "native"), SPELT["examples"].items(), ids=SPELT["examples"].values())
def test_a_read_only_format_reads_other_spellings(text: str, native: str) -> None:
    compiled = codec(SPELT)
    assert compiled.parse(native) == (text, "spot")
    assert compiled.parse(compiled.format(text) or "") == (text, "spot")


LISTED: dict[str, Any] = {
    "formats": {"perpetual": ["{base}-{quote}", {"format": "{base}", "quote": "USDC", "replace": {":": "-"}, "listed_only": True}]},
    "quotes": ["USDT"],
    "examples": {"BTC/USDT:PERP": "BTC-USDT", "xyz-TSLA/USDC:PERP": "xyz:TSLA"},
}


def test_a_listed_only_format_reads_instruments_records_and_nothing_else() -> None:
    compiled = codec(LISTED)
    assert compiled.parse("xyz:TSLA", listed=True) == ("xyz-TSLA/USDC:PERP", "perpetual")
    assert compiled.parse("xyz:TSLA") is None
    assert compiled.format("xyz-TSLA/USDC:PERP") is None
    assert compiled.parse("BTC-USDT") == compiled.parse("BTC-USDT", listed=True) == ("BTC/USDT:PERP", "perpetual")


def test_irregular_ids_come_before_every_format_both_ways() -> None:
    rules = {**IRREGULAR, "irregular": {"SOL": "SOLANA/USDC:PERP", "X:SOL": "SOL/USDC:PERP"}, "examples": {"BTC/USDC:PERP": "BTC"}}
    rules["formats"] = {"perpetual": rules["formats"]["perpetual"]}
    compiled = codec(rules)
    assert [compiled.parse(native) for native in ("SOL", "X:SOL")] == [("SOLANA/USDC:PERP", "perpetual"), ("SOL/USDC:PERP", "perpetual")]
    assert [compiled.format(text) for text in ("SOLANA/USDC:PERP", "SOL/USDC:PERP")] == ["SOL", "X:SOL"]


OTHER_SPELLINGS = [
    ("spelt", "XBTUSD", None),
    ("spelt", "XLTCZUSD", "LTC/USD"),
    ("spelt", "XXBTZUSD", "BTC/USD"),
    ("spelt", "BTC/USD", "BTC/USD"),
    ("spelt", "XBT\\USD", "BTC/USD"),
    ("spelt", "nothing", None),
    ("irregular", "@107", "HYPE/USDC"),
    ("irregular", "BTC", None),
]


@pytest.mark.parametrize(("rules", "native", "text"), OTHER_SPELLINGS, ids=[f"{row[0]} {row[1]}" for row in OTHER_SPELLINGS])
def test_ids_that_are_not_written_are_other_spellings(rules: str, native: str, text: str | None) -> None:
    assert codec(READING[rules]).other_spelling(native) == text


def test_the_kinds_are_those_of_formats_and_irregular_ids() -> None:
    assert codec(IRREGULAR).kinds == ("future", "perpetual", "spot")


IRREGULARITIES: list[tuple[dict[str, str], str, str]] = [
    ({"@1": "HYPE-USDC"}, "@1", "is no symbol"),
    ({"@1": "HYPE/USDC:PERP:USDC"}, "@1", "has one spelling"),
    ({"@1": "HYPE/USDC", "@2": "HYPE/USDC"}, "@2", "@2 and @1 are both HYPE/USDC"),
    ({"ETH-USDT": "ETH/USDT"}, "ETH-USDT", "the formats read and write ETH-USDT as ETH/USDT already"),
]


@pytest.mark.parametrize(("irregular", "place", "reason"), IRREGULARITIES, ids=[row[2] for row in IRREGULARITIES])
def test_a_bad_irregular_id_is_a_problem_at_its_key(irregular: dict[str, str], place: str, reason: str) -> None:
    findings = collect()
    compile_symbols(Symbols.model_validate({**DASHED, "irregular": irregular}), (), findings)
    (problem,) = findings.problems
    assert (problem.rule, problem.where) == ("CEX051", ("irregular", place)) and reason in problem.message


def test_the_longest_known_quote_wins() -> None:
    assert codec(TOUCHING).parse("ABUSD") == ("A/BUSD", "spot")


def test_a_second_spelling_is_read_and_the_first_is_written() -> None:
    compiled = codec(PREFIXED)
    assert compiled.parse("tBTC:USD") == ("BTC/USD", "spot")
    assert compiled.format("BTC/USD") == "tBTCUSD"


BAD_FORMATS: list[tuple[str, str, list[str], str]] = [
    ("spot", "{base}{quote}", [], "symbols.quotes"),
    ("spot", "{base}", [], "needs {quote}"),
    ("spot", "{base}-{quot}", [], "did you mean {quote}"),
    ("spot", "{base}-{quote}-{settle}", [], "holes are base, quote"),
    ("spot", "{base}-{quote}-{base}", [], "stands twice"),
    ("spot", "{base}-{quote}}", [], "a brace"),
    ("spot", "{base}-{quote}" + "-" * 90, [], "at most 80"),
    ("spot", "{base:x}-{quote}", [], "says nothing"),
    ("spot", "{base:0}-{quote}", [], "says nothing"),
    ("perpetual", "{base}{settle}-{quote}", ["USD"], "nothing separates {base} from {settle}"),
    ("perpetual", "{base}-{quote}-{expiry:%y%m%d}", [], "a perpetual has no {expiry}"),
    ("future", "{base}-{quote}", [], "needs {expiry}"),
    ("future", "{base}-{quote}-{expiry}", [], "names no day"),
    ("future", "{base}-{quote}-{expiry:%y%m}", [], "names no day"),
    ("future", "{base}-{quote}-{expiry:%y%m%d%b}", [], "names no day"),
    ("future", "{base}-{quote}-{expiry:%y%m%d%q}", [], "names no day"),
    ("future", "{base}-{quote}-{expiry:%q}", [], "year and quarter letter %q"),
    ("future", "{base}-{quote}-{expiry:%q%y%Y}", [], "names no day"),
    ("future", "{base}-{quote}-{expiry:%y%m%q}", [], "names no day"),
    ("future", "{base}-{quote}-{expiry:%y%m%d%}", [], "names no day"),
    ("option", "{base}-{quote}-{expiry:%y%m%d}-{strike:2}-{right}", [], "says nothing"),
    ("option", "{base}-{quote}-{expiry:%y%m%d}-{strike}", [], "needs {right}"),
    ("perpetual", "{base}", [], "quote: USDC"),
    ("future", "{base}", [], "needs {expiry}"),
]


@pytest.mark.parametrize(("kind", "text", "quotes", "reason"), BAD_FORMATS, ids=[f"{row[1][:50]} {row[0]}" for row in BAD_FORMATS])
def test_a_bad_format_is_a_problem_at_its_node(kind: str, text: str, quotes: list[str], reason: str) -> None:
    findings = collect()
    compile_symbols(Symbols.model_validate({"formats": {kind: [text, text]}, "quotes": quotes, "examples": {}}), (), findings)
    assert [(one.rule, one.where) for one in findings.problems] == [("CEX051", ("formats", kind, 0)), ("CEX051", ("formats", kind, 1))]
    assert reason in f"{findings.problems[0].message} {findings.problems[0].hint}"


BAD_RULES: list[tuple[dict[str, Any], tuple[str, ...], str]] = [
    ({"format": "{base}-{quote}", "quote": "USDC"}, ("quote",), "{quote} and a quote of its own"),
    ({"format": "{base}", "quote": "US-DC"}, ("quote",), "the quote holds no '-'"),
    ({"format": "{base}", "quote": ""}, ("quote",), "1 to 32 characters"),
    ({"format": "{quote}", "quote": "USDC"}, ("quote",), "a quote of its own"),
    ({"format": "{base}-{quote}", "replace": {"::": "-"}}, ("replace", "::"), "one character stands for one character"),
    ({"format": "{base}-{quote}", "replace": {":": "--"}}, ("replace", ":"), "one character stands for one character"),
    ({"format": "{base}-{quote}", "replace": {"x": "y"}}, ("replace", "x"), "a symbol can hold 'x'"),
    ({"format": "{base}-{quote}", "replace": {":": "/"}}, ("replace", ":"), "no symbol can hold '/'"),
    ({"format": "{base}:{quote}", "replace": {":": "-"}}, ("replace", ":"), "':' separates in this format"),
    ({"format": "{base}-{quote}", "replace": {":": ".", "/": "."}}, ("replace", "/"), "'.' already stands for ':'"),
]


@pytest.mark.parametrize(("rule", "place", "reason"), BAD_RULES, ids=[f"{row[0]}" for row in BAD_RULES])
def test_a_bad_rule_of_a_format_is_a_problem_at_its_key(rule: dict[str, Any], place: tuple[str, ...], reason: str) -> None:
    findings = collect()
    compile_symbols(Symbols.model_validate({"formats": {"perpetual": rule}, "examples": {}}), (), findings)
    (problem,) = findings.problems
    assert (problem.rule, problem.where) == ("CEX051", ("formats", "perpetual", *place))
    assert reason in problem.message


def test_two_codes_for_one_asset_are_a_problem() -> None:
    findings = collect()
    rules = {**DASHED, "aliases": {"XBT": "BTC", "WBT": "BTC"}, "examples": DASHED["examples"]}
    compile_symbols(Symbols.model_validate(rules), (), findings)
    assert ("CEX051", ("aliases", "WBT")) in [(problem.rule, problem.where) for problem in findings.problems]


BAD_EXAMPLES = [
    ({"BTC-USDT": "BTC-USDT"}, ["is no symbol"]),
    ({"BTC/USDT:PERP:USDT": "BTC-USDT-SWAP"}, ["has one spelling"]),
    ({"BTC/USDT": "ETH-USDT"}, ["ETH-USDT reads as ETH/USDT, not as BTC/USDT", "BTC/USDT is written BTC-USDT, not ETH-USDT"]),
    ({"BTC/USDT": "BTCUSDT"}, ["is read by no format", "is written BTC-USDT"]),
    ({"BTC/USD:PERP": "BTC-USD-SWAP"}, ["reads as BTC/USD:PERP:BTC", "is written by no format"]),
]


@pytest.mark.parametrize(("examples", "reasons"), BAD_EXAMPLES, ids=[next(iter(row[0])) for row in BAD_EXAMPLES])
def test_an_example_that_does_not_go_both_ways_is_a_problem(examples: dict[str, str], reasons: list[str]) -> None:
    findings = collect()
    rules = {**DASHED, "examples": {**DASHED["examples"], **examples}}
    compile_symbols(Symbols.model_validate(rules), (), findings)
    assert [(one.rule, one.where) for one in findings.problems] == [("CEX052", ("examples", next(iter(examples))))] * len(reasons)
    assert all(reason in problem.message for reason, problem in zip(reasons, findings.problems, strict=True))


def test_a_format_without_example_is_a_problem() -> None:
    findings = collect()
    compile_symbols(Symbols.model_validate({**PREFIXED, "examples": {"BTC/USDT": "tBTCUST"}}), (), findings)
    expected = [("CEX053", ("formats", "spot", 1)), ("CEX053", ("formats", "perpetual"))]
    assert [(problem.rule, problem.where) for problem in findings.problems] == expected


ASSETS = st.text(st.sampled_from("ABUSDTC1F0k-._@币X2"), min_size=1, max_size=6)
QUOTES = st.sampled_from(["USDT", "USD", "BUSD", "BTC", "UST", "LUNA", "LUNC", "USDC"])
SETTLES = st.sampled_from([None, "BTC", "ETH", "USD", "UST"])


@st.composite
def any_symbols(draw: st.DrawFn) -> Symbol:
    kind = draw(st.sampled_from(["spot", "perpetual", "future", "option"]))
    expiry = draw(st.dates(date(2000, 1, 1), date(2099, 12, 31))) if kind in ("future", "option") else None
    strike = draw(st.sampled_from([Decimal("0.5"), Decimal(92000)])) if kind == "option" else None
    right = draw(st.sampled_from("CP")) if kind == "option" else None
    base, quote = draw(ASSETS | QUOTES), draw(QUOTES)
    settle = None if kind == "spot" else draw(st.sampled_from([base, quote]).filter(lambda code: "-" not in code) | SETTLES)
    return Symbol(base, quote, kind, expiry, strike, right, settle)  # type: ignore[arg-type]


CODECS = {name: codec(rules) for name, rules in READING.items()}


@pytest.mark.parametrize("year", ["%y", "%Y"])
@given(day=st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_quarter_letter_names_the_last_friday_of_its_month_and_no_other_day(year: str, day: date) -> None:
    last_friday = day.weekday() == 4 and (day + timedelta(days=7)).month != day.month
    written = write_day(f"{year}%q", day)
    assert (written is not None) == (last_friday and day.month in (3, 6, 9, 12))
    if written is not None:
        found = re.fullmatch(day_pattern(f"{year}%q"), written)
        assert found is not None and read_day(found.groupdict()) == day


@pytest.mark.parametrize("rules", CODECS)
@given(symbol=any_symbols())
def test_every_written_id_reads_back_as_its_symbol(rules: str, symbol: Symbol) -> None:
    native = CODECS[rules].format(str(symbol))
    assert native is None or CODECS[rules].parse(native) == (str(symbol), symbol.kind)


@pytest.mark.parametrize("rules", CODECS)
@given(native=st.text(st.sampled_from("tABUSDTCXZL2N-_:F0PERWSWAP26925:@/\\\\. 币"), max_size=70))
def test_any_text_reads_as_a_symbol_or_none(rules: str, native: str) -> None:
    read = CODECS[rules].parse(native)
    assert read is None or str(Symbol.parse(read[0])) == read[0]


@pytest.mark.parametrize("rules", CODECS)
@given(native=st.text(st.sampled_from("ABUSDTCXZL2N-_:.F0P@17/\\ 币"), max_size=12))
def test_two_ids_of_one_symbol_are_told_apart_by_what_is_written(rules: str, native: str) -> None:
    compiled = CODECS[rules]
    read = compiled.read(native)
    if read is not None and compiled.other_spelling(native) is None and (written := compiled.write(read[0])) is not None:
        assert written[0] == native or written[1] is not read[1], "one format writes a symbol in one way"


@pytest.mark.parametrize("rules", CODECS)
@given(
    symbols=st.lists(any_symbols(), unique=True, max_size=4),
    ids=st.lists(st.text(st.sampled_from("ABUSDT@107-/:"), min_size=1, max_size=8), unique=True, min_size=4, max_size=4),
    other=any_symbols(),
)
def test_irregular_ids_go_both_ways_whatever_the_formats_say(rules: str, symbols: list[Symbol], ids: list[str], other: Symbol) -> None:
    irregular = dict(zip(ids, symbols, strict=False))
    compiled = Codec(list(CODECS[rules].formats), READING[rules].get("aliases", {}), frozenset(), irregular)
    for native, symbol in irregular.items():
        assert compiled.format(str(symbol)) == native
        assert compiled.parse(native) == (str(symbol), symbol.kind) and compiled.other_spelling(native) == str(symbol)
    written = compiled.format(str(other))
    assert other in symbols or written not in irregular, "no format writes an irregular id"
