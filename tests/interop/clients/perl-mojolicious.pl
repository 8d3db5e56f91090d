# SPDX-License-Identifier: MIT
use Mojo::Base -strict;
use Mojo::IOLoop;
use Mojo::UserAgent;

binmode STDOUT, ':utf8';
$| = 1;
my ($url, $protocol, @lines) = @ARGV;
my $agent = Mojo::UserAgent->new(inactivity_timeout => 0);

$agent->websocket($url, {}, $protocol ? [$protocol] : [], sub {
	my ($agent, $tx) = @_;
	unless ($tx->is_websocket) {
		say 'raised ', $tx->error->{message};
		return Mojo::IOLoop->stop;
	}
	say 'open ', $tx->protocol // '';
	$tx->on(finish => sub {
		my ($tx, $code, $reason) = @_;
		say "closed $code ", $reason // '';
		Mojo::IOLoop->stop;
	});
	$tx->on(message => sub {
		my ($tx, $text) = @_;
		say "message $text";
		$tx->send(substr $text, 1) if $text =~ /^>/;
		$tx->finish(1000) if $text eq 'bye';
	});
	$tx->send($_) for @lines;
});
Mojo::IOLoop->start;
