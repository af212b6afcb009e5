$a = range(1, 50000);
shuffle($a);
sort($a);
echo array_sum($a), " ", $a[49999], "\n", json_encode(['a' => [1, 2.5, null, "\u{e9}"]]), "\n";
file_put_contents('/tmp/brique-php', str_repeat('x', 100000));
echo md5_file('/tmp/brique-php'), "\n";
unlink('/tmp/brique-php');
try { intdiv(1, 0); } catch (DivisionByZeroError $e) { echo $e->getMessage(), "\n"; }
echo preg_replace('/(b+)/', '<$1>', 'abbc'), "\n";
function squares() { for ($i = 0; $i < 3; $i++) yield $i => $i * $i; }
foreach (squares() as $k => $v) echo "$k:$v ";
echo "\n";
