"""The ways in which a stand-in for a model behaves."""

from enum import StrEnum


class Conduct(StrEnum):
    """What the stand-in does with every request; the first group answers, the second breaks.

    Every behaviour of scenarios but `embedded` is a member, under the same word.
    """

    GOOD = "good"
    GREEDY = "greedy"
    PROMISER = "promiser"
    LIAR = "liar"
    LEAKER = "leaker"
    OBEDIENT = "obedient"
    DENIER = "denier"
    ENDLESS = "endless"

    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    UNAUTHORISED = "unauthorised"
    MALFORMED = "malformed"
    BAD_ARGUMENTS = "bad_arguments"
    HALF_STREAM = "half_stream"
    MID_STREAM_ERROR = "mid_stream_error"
    STALLING = "stalling"
    DRIPPING = "dripping"
    WRONG_TYPE = "wrong_type"
    WRONG_SCHEMA = "wrong_schema"
    HUGE = "huge"
    EMPTY = "empty"


class Form(StrEnum):
    """Whether a stand-in streams: as it is asked, or every second answer whole, as some endpoints do unasked."""

    AS_ASKED = "as_asked"
    IN_TURN = "in_turn"
