[range(1000)] | {sum: add, squares: (map(. * .) | .[-3:]), text: (map(tostring) | join("") | length), match: ("abc" | test("b"))}
