local t = {}
for i = 1, 100000 do t[i] = (i * 7919) % 100003 end
table.sort(t)
print(t[1], t[#t], #t)
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
print(co(), co(), co())
local f = assert(io.open('/tmp/brique-lua', 'w'))
f:write('one\ntwo\n')
f:close()
for line in io.lines('/tmp/brique-lua') do print(line) end
os.remove('/tmp/brique-lua')
print(pcall(error, 'raised', 0), string.format('%5.2f|%q', math.pi, 'a\nb'), os.getenv('HOME'))
