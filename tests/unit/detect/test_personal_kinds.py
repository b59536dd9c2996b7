"""Each kind of personal data, in the forms in which people write it; and what looks like it and is none."""

import pytest

from handrail.guardrails.detect.personal import find_personal_data


def found(text: str) -> list[tuple[str, str]]:
    """Code and characters of every find."""
    return [
        (signal.code, text[signal.span.start : signal.span.end])
        for signal in find_personal_data(text)
        if signal.span is not None
    ]


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("write to anna (at) mail (dot) com", "anna (at) mail (dot) com"),
        ("anna dot bo at mail dot co dot uk please", "anna dot bo at mail dot co dot uk"),
        ("o'brien@mail.example!", "o'brien@mail.example"),
        ("jo%40mail.example", "jo%40mail.example"),
        ("mail me: jo @ mail.example", "jo @ mail.example"),
    ],
)
def test_addresses_of_mail_in_every_spelling(text: str, exact: str) -> None:
    """With signs, and spelled out for people only."""
    assert found(text) == [("PII_EMAIL", exact)]


@pytest.mark.parametrize(
    "number",
    [
        "699 956 915",
        "78 651 450",
        "9472 7916",
        "01.84.17.61.18",
        "467 3395",
        "0490 39 07 81",
        "+46 (0)157 548 89",
        "0688 843 79 56",
        "001-253-366-9781",
        "345-899-3560x4587",
    ],
)
def test_phones_of_many_countries_behind_a_word(number: str) -> None:
    """A word such as "call" or "phone" makes digits in any grouping a phone number."""
    for text in (f"Can someone call me on {number}?", f"Phone: {number}", f"my mobile has changed, it's {number}"):
        assert found(text) == [("PII_PHONE", number)]


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("My card 4111111111111112 is lost", "4111111111111112"),
        ("my credit card number is 5445 8595 5625 5525", "5445 8595 5625 5525"),
        ("5555.5555.5555.4444", "5555.5555.5555.4444"),
        ("4111\n1111\n1111\n1111", "4111\n1111\n1111\n1111"),
    ],
)
def test_cards_by_sum_or_by_word(text: str, exact: str) -> None:
    """A mistyped card number is one where a word says so; nothing of it stays behind."""
    assert found(text) == [("PII_CARD", exact)]


def test_a_mistyped_iban_is_one_behind_its_name() -> None:
    """The word counts for more than the remainder."""
    assert found("my IBAN is DE00 3704 0044 0532 0130 00") == [("PII_IBAN", "DE00 3704 0044 0532 0130 00")]
    assert found("flight ab123 and my luggage is lost") == []


@pytest.mark.parametrize(
    "number",
    [
        "943 476 5919",  # NHS
        "RSSMRA85T10A562S",  # codice fiscale
        "12345678Z",  # DNI
        "X1234567L",  # NIE
        "111.444.777-35",  # CPF
        "811228-9874",  # personnummer
        "234123412346",  # Aadhaar
        "046 454 286",  # SIN
        "44051401359",  # PESEL
        "111222333",  # BSN
        "36 574 261 809",  # Steuer-ID
        "AB123456C",  # NINO
    ],
)
def test_national_numbers_behind_a_word(number: str) -> None:
    """Any words may stand between the name of the number and the number."""
    assert ("PII_NATIONAL_ID", number) in found(f"my national insurance or tax id, as you asked, is {number} ok")


def test_national_numbers_without_a_word_need_their_check_digit() -> None:
    """The form alone could be an order number."""
    assert found("please use 111.444.777-35") == [("PII_NATIONAL_ID", "111.444.777-35")]
    assert found("please use 12345678Z") == [("PII_NATIONAL_ID", "12345678Z")]
    assert found("please use 12345678A") == []
    assert found("please use 811228-9875") == []


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("see https://acme.example/u/jo?x=1.", "https://acme.example/u/jo?x=1"),
        ("(www.acme.de)", "www.acme.de"),
        ("my site acme-shop.com is down", "acme-shop.com"),
        ("<a href='http://a.b.example/x_(y)'>", "http://a.b.example/x_(y)"),
        ("at ftp://files.acme.io:21/x", "ftp://files.acme.io:21/x"),
    ],
)
def test_links_end_where_the_sentence_goes_on(text: str, exact: str) -> None:
    """Signs of the sentence are not part of a link; brackets that it opens are."""
    assert found(text) == [("PII_URL", exact)]


def test_a_link_around_a_secret_is_masked_around_it() -> None:
    """What is left of the link beside an earlier find is still found."""
    codes = [code for code, _ in found("https://jo:s3cret!x@acme.example/a")]
    assert codes == ["PII_URL", "PII_SECRET", "PII_URL"]


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("my name is anna bo and I", "anna bo"),
        ("Hello, this is Dr. Berta Szöllössy. Who are you?", "Berta Szöllössy"),
        ("Hi Vinicio, I'm contacting you", "Vinicio"),
        ("Name: Sieda Batukayev\nAge: 4", "Sieda Batukayev"),
        ("please help\n\nKind regards,\nJean-Luc O'Neal", "Jean-Luc O'Neal"),
        ("Ludwig van Hofer speaking", "Ludwig van Hofer"),
        ("I want to add my son Andrew as a guest", "Andrew"),
        ("full name = Maria de la Cruz", "Maria de la Cruz"),
    ],
)
def test_names_where_words_say_so(text: str, exact: str) -> None:
    """Introductions, titles, greetings, forms and signatures."""
    assert found(text) == [("PII_NAME", exact)]


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        (
            "ship to 1600 Pennsylvania Avenue, Washington, DC 20500 please",
            "1600 Pennsylvania Avenue, Washington, DC 20500",
        ),
        ("I live at 27 moss lane", "27 moss lane"),
        ("12 rue de la Paix est mon adresse", "12 rue de la Paix"),
        ("Hauptstraße 5 ist es", "Hauptstraße 5"),
        ("P.O. Box 104", "P.O. Box 104"),
        ("PSC 0413, Box 8144\nAPO AA 42323", "PSC 0413, Box 8144\nAPO AA 42323"),
        ("the zip code is 44273 in Ohio", "44273"),
        ("postcode SW1A 1AA", "SW1A 1AA"),
        ("Puruntie 82 Apt. 595", "Puruntie 82 Apt. 595"),
    ],
)
def test_postal_addresses_of_several_languages(text: str, exact: str) -> None:
    """The number may stand before or behind the street."""
    assert found(text) == [("PII_ADDRESS", exact)]


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("your verification code is 482913", "482913"),
        ("change my pin to 4892", "4892"),
        ("Authorization: Bearer abcdef1234567890", "abcdef1234567890"),
        ('{"password":"hunter2","user":"jo"}', "hunter2"),
        ("Server=db;Password=Zx9!kk2p;Trusted=1", "Zx9!kk2p"),
        ("redis://:p@ss1word@cache/0", ":p@ss1word"),
        ("the password on my laptop should be Zx9!kk2p now", "Zx9!kk2p"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh"),
        ("it is q7RkP2vXz9LmT4bNc8WdF3hJ", "q7RkP2vXz9LmT4bNc8WdF3hJ"),
    ],
)
def test_secrets_in_every_form(text: str, exact: str) -> None:
    """Codes, headers, fields, logins, tokens, and long drawn characters without any word."""
    assert found(text) == [("PII_SECRET", exact)]


def test_a_private_key_goes_as_a_whole() -> None:
    """Up to its end, or without an end as far as it looks like a key."""
    block = "-----BEGIN RSA PRIVATE KEY-----\nabc+/=\nxyz\n-----END RSA PRIVATE KEY-----"
    assert found(f"see {block} please") == [("PII_SECRET", block)]
    assert found("-----BEGIN PRIVATE KEY-----\nabcd")[0][1].endswith("abcd")


@pytest.mark.parametrize(
    "text",
    [
        "order 370795561790 is late",
        "see bill #12588 and invoice INV-2041",
        "my policy number would be 515477235",
        "flight BA2490 from gate 12, seat 14C, booking XK4T9Q",
        "I am waiting for a refund of 1499 dollars",
        "create an alarm for 9 am and another one for 11 am",
        "a hotel room for 7 people in st louis",
        "error code 500123, promo code 20256",
        "the verification code never arrived for order 123456",
        "I can't log in, the name is wrong",
        "the plan is called Pet Insurance",
        "Dear support team, I'm very unhappy",
        "this is not what I ordered",
        "we moved to version 12.4.1.2",
        "the address is wrong and my email address too",
        "meet @ home. Thanks",
        "place the order for 20 keyboards",
        "reset my password to log-in again",
        "rooms 1024 or 2048, 10 20 30 40 items",
        "between 2024 and 2026",
        "price: 1,250.00 or 1 250 000 EUR",
        "2027-03-14T10:30:00Z",
        "rule risk.baseline of intent password_reset",
    ],
)
def test_daily_business_stays(text: str) -> None:
    """Orders, amounts, dates, flights, seats, and words that only sound like a cue."""
    assert found(text) == []


def test_spans_are_places_in_the_original() -> None:
    """Invisible characters and other forms of digits move nothing."""
    text = "é\u200b card \uff14\u200b111 1111 1111 111\u0661 ok"
    assert found(text) == [("PII_CARD", "\uff14\u200b111 1111 1111 111\u0661")]


def test_a_label_is_no_cue() -> None:
    """What stands behind a label is not found because of it."""
    assert found("[phone] 12345678 [card] 123456789012 [name] jo") == []
