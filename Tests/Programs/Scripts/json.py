import hashlib, json, re, sys
value = {'a': [1, 2.5, None, 'é'], 'b': {'c': True}}
text = json.dumps(value, sort_keys=True)
print(text, json.loads(text) == value, re.sub(r'(\w)\1', r'<\1>', 'aabbc'), hashlib.sha256(text.encode()).hexdigest())
try:
    {}['a']
except KeyError as error:
    print(repr(error))
