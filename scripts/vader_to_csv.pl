#!/usr/bin/env perl
# Turns VADER's rated sentences (hutto_ICWSM_2014/*_GroundTruth.txt: id, mean rating, text, by tabs, UTF-8) into CSV.
# usage: vader_to_csv.pl SOURCE_DIR OUT_DIR     Prints what it kept. Needs perl-base alone.
#
# Classes are the sign of the mean rating of 20 people; a rating of exactly 0 has none and is left out, and nothing else
# is. A text that occurs again (without regard to case and spaces) is kept once, in the first set that has it: film
# reviews, then tweets, then product reviews, then editorials; so no text is in two files. The film reviews are cut
# into train, validation and test, 80/10/10 per class, in the order of a hash of the text alone.
use strict;
use warnings;

my ($source, $out) = @ARGV;
die "usage: vader_to_csv.pl SOURCE_DIR OUT_DIR\n" unless defined $out;

# FNV-1a, 32 bits, over the bytes of a text, then mixed (MurmurHash3's finish) so that near texts fall far apart.
sub hash32 {
    my $h = 2166136261;
    $h = (($h ^ $_) * 16777619) & 0xffffffff for unpack 'C*', $_[0];
    $h = (($h ^ ($h >> 16)) * 0x85ebca6b) & 0xffffffff;
    $h = (($h ^ ($h >> 13)) * 0xc2b2ae35) & 0xffffffff;
    return $h ^ ($h >> 16);
}

sub csv_field {
    my ($text) = @_;
    return $text unless $text =~ /[",\r\n]|^\s|\s$/;
    $text =~ s/"/""/g;
    return "\"$text\"";
}

# The rows of one set: text, rating (with at most 4 decimals), hash; texts seen in an earlier set or above are dropped.
my %seen;

sub read_set {
    my ($name) = @_;
    my $path = "$source/${name}_GroundTruth.txt";
    open my $file, '<:raw', $path or die "cannot read $path: $!\n";
    my (@rows, $again);
    while (my $line = <$file>) {
        $line =~ s/[\r\n]+$//;
        my ($id, $rating, $text) = split /\t/, $line, 3;
        die "$path:$.: expected an id, a rating and a text with tabs between\n"
            unless defined $text && $rating =~ /^-?\d+(\.\d+)?$/ && abs $rating <= 4;
        my $copy = $text;
        die "$path:$.: not UTF-8\n" unless utf8::decode($copy);
        $text =~ s/^\s+|\s+$//g;
        die "$path:$.: empty text\n" if $text eq '';
        my $key = lc $text;
        $key =~ s/\s+/ /g;
        if ($seen{$key}++) { $again++; next; }
        push @rows, {text => $text, rating => 0 + sprintf('%.4f', $rating), hash => hash32($text)};
    }
    close $file;
    printf "%s: %d sentences, %d repeated texts left out\n", $name, @rows + ($again // 0), $again // 0;
    return sort { $a->{hash} <=> $b->{hash} || $a->{text} cmp $b->{text} } @rows;
}

sub write_csv {
    my ($name, $header, @lines) = @_;
    open my $file, '>:raw', "$out/$name.csv" or die "cannot write $out/$name.csv: $!\n";
    print $file "$header\n", map { "$_\n" } @lines or die "cannot write $out/$name.csv: $!\n";
    close $file or die "cannot write $out/$name.csv: $!\n";
}

sub label { return $_[0]{rating} > 0 ? 'positive' : 'negative' }

sub write_classes {
    my ($name, @rows) = @_;
    write_csv($name, 'text,label,rating', map { csv_field($_->{text}) . ',' . label($_) . ",$_->{rating}" } @rows);
    my $positive = grep { $_->{rating} > 0 } @rows;
    printf "  %s.csv: %d rows, %d positive, %d negative\n", $name, scalar @rows, $positive, @rows - $positive;
}

sub rated { return grep { $_->{rating} != 0 } @_ }

my @film = rated(read_set('movieReviewSnippets'));
my %part;
for my $class ('negative', 'positive') {
    my @rows = grep { label($_) eq $class } @film;
    my $tenth = int(@rows / 10 + 0.5);
    push @{$part{test}}, splice @rows, 0, $tenth;
    push @{$part{validation}}, splice @rows, 0, $tenth;
    push @{$part{train}}, @rows;
}
for my $name ('train', 'validation', 'test') {
    write_classes("film_$name", sort { $a->{hash} <=> $b->{hash} || $a->{text} cmp $b->{text} } @{$part{$name}});
}
write_classes('tweets', rated(read_set('tweets')));
write_classes('products', rated(read_set('amazonReviewSnippets')));
my @editorials = read_set('nytEditorialSnippets');
write_csv('editorials', 'text,score', map { csv_field($_->{text}) . ",$_->{rating}" } @editorials);
printf "  editorials.csv: %d rows\n", scalar @editorials;
