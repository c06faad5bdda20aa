# SPDX-License-Identifier: MIT
#
# Summary.pm - what prove says at the end: what failed, what was slow, and as
# the very last line how many tests passed, failed and were skipped

package Summary;

use strict;
use warnings;
use parent 'TAP::Formatter::File';

sub log_of
{
	my ($test) = @_;

	$test =~ s/\.sh$//;
	$test =~ tr{/}{-};
	return "build/log/$test.tap";
}

sub summary
{
	my ($self, $aggregate, $interrupted) = @_;
	my ($passed, $failed, $skipped) = (0, 0, 0);
	my %seconds;

	$self->SUPER::summary($aggregate, $interrupted);
	for my $test ($aggregate->descriptions) {
		my ($parser) = $aggregate->parsers($test);

		$seconds{$test} = $parser->end_time - $parser->start_time;
		$skipped += $parser->skipped;
		$skipped += 1 if $parser->skip_all;
		$passed += $parser->actual_passed - $parser->skipped;
		$failed += $parser->failed;
		next unless $parser->has_problems;
		# A test that died counts, though none of its results failed.
		$failed += 1 unless $parser->failed;
		$self->show_log($test);
	}
	$failed += 1 if $interrupted || !%seconds;

	print "\nThe slowest tests:\n";
	my @slowest = sort { $seconds{$b} <=> $seconds{$a} } keys %seconds;
	splice @slowest, 10 if @slowest > 10;
	printf "%8.1f s  %s\n", $seconds{$_}, $_ for @slowest;
	print "\n$passed passed, $failed failed, $skipped skipped\n";
}

# Shows what a failed test said round its failures.
sub show_log
{
	my ($self, $test) = @_;
	my $log = log_of($test);

	print "\n==> $test ($log)\n";
	open my $in, '<', $log or return;
	my @lines = <$in>;
	close $in;
	my @wanted = grep { $lines[$_] =~ /^not ok/ } 0 .. $#lines;
	my %show;
	for my $at (@wanted > 20 ? @wanted[0 .. 19] : @wanted) {
		$show{$_} = 1 for $at - 8 .. $at + 8;
	}
	for my $at ($#lines - 15 .. $#lines) {
		$show{$at} = 1;
	}
	for my $at (sort { $a <=> $b } keys %show) {
		print "    $lines[$at]" if $at >= 0 && $at <= $#lines;
	}
}

1;
