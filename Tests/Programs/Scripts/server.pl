use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my $listener = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die "listen: $!";
my $select = IO::Select->new($listener);
my %received;
while (my @ready = $select->can_read) {
    for my $socket (@ready) {
        if ($socket == $listener) {
            $select->add(scalar $listener->accept);
            next;
        }
        my $count = sysread $socket, $received{$socket}, 65536, length($received{$socket} // '');
        if ($count && $received{$socket} =~ /^(\w+) .*?\r\n\r\n(.*)$/s) {
            my ($method, $body) = ($1, $2);
            my ($expected) = $received{$socket} =~ /^Content-Length: (\d+)\r$/mi;
            next if length $body < ($expected // 0);
            my $answer = "$method " . length($body) . "\n";
            print $socket "HTTP/1.1 200 OK\r\nContent-Length: " . length($answer) . "\r\nConnection: close\r\n\r\n$answer";
            $count = 0;
        }
        next if $count;
        delete $received{$socket};
        $select->remove($socket);
        close $socket;
    }
}
