-- A supplier's word loses every character that nobody sees: also directional isolates, variation selectors, fillers, tags
-- and control characters, with which "D" and "1234" became a colour and a certificate of their own. NFKC makes one
-- filler (U+1160) of three. The same characters stand in shared/diamonds/ingestion/words.py.

create or replace function diamonds.plain(value text, unusual boolean) returns text
immutable parallel safe language sql
return nullif(btrim(case
    when unusual then regexp_replace(
        regexp_replace(
            normalize(value, NFKC),
            '[\u0001-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f'
            '\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U0001d173-\U0001d17a'
            '\U000e0000-\U000e0fff]', '', 'g'),
        '[\s\u1680\u2028\u2029]+', ' ', 'g')
    else value
end), '');
