"""The SQL functions that an expression in a configuration may call: those of one row's values, and nothing else.

Left out are functions that call Java (reflect), read files or descriptors, resolve references (xpath), or tell of the
session. That keeps mistakes and surprises out of a configuration; it is no sandbox for one that nobody trusts.
"""

from __future__ import annotations

_NUMBERS = """
abs acos acosh add asin asinh atan atan2 atanh bin bit_count bit_get bround cbrt ceil ceiling conv cos cosh cot csc
degrees e exp expm1 factorial floor format_number getbit greatest hex hypot least ln log log10 log1p log2 mod negative
pi pmod positive pow power radians rint round sec shiftleft shiftright shiftrightunsigned sign signum sin sinh sqrt tan
tanh try_add try_divide try_mod try_multiply try_subtract try_to_number to_number unhex width_bucket zeroifnull isnan
nanvl
"""
_TEXTS = """
ascii base64 bit_length btrim char char_length character_length chr collate collation concat concat_ws contains crc32
decode elt encode endswith find_in_set format_string hash ilike initcap instr is_valid_utf8 lcase left len length
levenshtein like locate lower lpad ltrim luhn_check make_valid_utf8 mask md5 octet_length overlay parse_url position
printf quote regexp regexp_count regexp_extract regexp_extract_all regexp_instr regexp_like regexp_replace regexp_substr
repeat replace reverse right rlike rpad rtrim sentences sha sha1 sha2 soundex space split split_part startswith substr
substring substring_index to_binary to_char to_varchar translate trim try_parse_url try_to_binary try_url_decode
try_validate_utf8 ucase unbase64 upper url_decode url_encode validate_utf8 xxhash64
"""
_TIMES = """
add_months convert_timezone date date_add date_diff date_format date_from_unix_date date_part date_sub date_trunc
dateadd datediff datepart day dayname dayofmonth dayofweek dayofyear extract from_unixtime from_utc_timestamp hour
last_day make_date make_dt_interval make_interval make_time make_timestamp make_timestamp_ltz make_timestamp_ntz
make_ym_interval minute month monthname months_between next_day quarter second time time_diff time_trunc timestamp
timestamp_micros timestamp_millis timestamp_seconds timestampadd timestampdiff to_date to_time to_timestamp
to_timestamp_ltz to_timestamp_ntz to_unix_timestamp to_utc_timestamp trunc try_make_interval try_make_timestamp
try_make_timestamp_ltz try_make_timestamp_ntz try_to_date try_to_time try_to_timestamp unix_date unix_micros
unix_millis unix_seconds unix_timestamp weekday weekofyear year
"""
_COLLECTIONS = """
aggregate array array_append array_compact array_contains array_distinct array_except array_insert array_intersect
array_join array_max array_min array_position array_prepend array_remove array_repeat array_size array_sort array_union
arrays_overlap arrays_zip cardinality element_at exists filter flatten forall from_csv from_json get get_json_object
json_array_length json_object_keys map map_concat map_contains_key map_entries map_filter map_from_arrays
map_from_entries map_keys map_values map_zip_with named_struct parse_json reduce sequence size slice sort_array
str_to_map struct to_csv to_json to_variant_object transform transform_keys transform_values try_element_at
try_parse_json try_variant_get variant_get is_variant_null zip_with
"""
_CHOICES = """
assert_true bigint binary boolean cast coalesce decimal double equal_null float if iff ifnull int isnotnull isnull
nullif nullifzero nvl nvl2 smallint string tinyint try_cast typeof
"""
FUNCTIONS = frozenset(f"{_NUMBERS} {_TEXTS} {_TIMES} {_COLLECTIONS} {_CHOICES}".split())

# Words that a bracket may follow without being called.
_BEFORE_BRACKETS = """
in and or not between when then else case like ilike rlike regexp all is div distinct from over
"""
WORDS = frozenset(_BEFORE_BRACKETS.split())
# Types whose length or digits follow in brackets.
TYPES = frozenset(("decimal", "dec", "numeric", "char", "varchar", "character"))
