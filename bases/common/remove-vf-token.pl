#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# What remove-vf-token.cocci can't see: comments, macros, preprocessor lines. And
# VFIO_DEVICE_BIND_IOMMUFD, which is extensible only for the token.
# Runs after it, in the top directory of the tree.

use strict;
use warnings;

my $name = shift or die "usage: remove-vf-token.pl NAME\n";

sub edit {
	my ($file, @edits) = @_;

	open(my $in, '<', $file) or die "$name: $file: $!\n";
	my $text = do { local $/; <$in> };
	close($in);

	while (my ($what, $change) = splice(@edits, 0, 2)) {
		$text = $change->($text) //
			die "$name: did not find $what in $file\n";
	}

	open(my $out, '>', $file) or die "$name: $file: $!\n";
	print $out $text;
	close($out) or die "$name: $file: $!\n";
}

# An edit of the first place where $pattern matches.
sub change {
	my ($pattern, $by) = @_;

	$by //= sub { '' };

	return sub {
		my ($text) = @_;
		return $text =~ s/$pattern/$by->()/e ? $text : undef;
	};
}

# The same for what not every base has.
sub change_if_there {
	my $edit = change(@_);

	return sub {
		my ($text) = @_;
		return $edit->($text) // $text;
	};
}

edit('drivers/vfio/pci/vfio_pci_core.c',
     'case VFIO_DEVICE_FEATURE_PCI_VF_TOKEN' =>
	change(qr/^\tcase VFIO_DEVICE_FEATURE_PCI_VF_TOKEN:\n\t\treturn [^;]*;\n/m),
     'a name, which the driver_override of VFs was' =>
	change_if_there(qr/^\t\/\* Drivers must set a name\. .*SR-IOV VFs \*\/\n\tif .*\n\t\treturn .*\n\n/m),
     'macro VF_TOKEN_ARG' =>
	change(qr/^#define VF_TOKEN_ARG .*\n\n/m),
     # Versions of coccinelle differ in the empty line that they leave here.
     'end of the declarations in vfio_pci_core_close_device' =>
	change(qr/^(\t\tcontainer_of\(core_vdev, .*\);\n)\n*(?=#if IS_ENABLED\(CONFIG_EEH\)\n\teeh_dev_release)/m,
	       sub { "$1\n" }),
     'vfio_unregister_group_dev() before vfio_pci_vga_uninit()' =>
	change(qr/^(\tvfio_unregister_group_dev\(.*\);\n)\n*(?=\tvfio_pci_vga_uninit)/m,
	       sub { "$1\n" }));

edit('drivers/vfio/pci/vfio_pci.c',
     'parameter enable_sriov' =>
	change(qr/^static bool enable_sriov;\n#ifdef CONFIG_PCI_IOV\n(?:MODULE_|module_).*\n(?:.*\n)??#endif\n\n/m));

# The condition that coccinelle joined is too long for one line.
edit('drivers/vfio/group.c',
     'comparison of dev_name()' =>
	change(qr/^(\t+)(if \(!strcmp\(dev_name.*?\) &&) (?=vfio_device_try)/m, sub { "$1$2\n$1    " }));

edit('drivers/vfio/device_cdev.c',
     'reading a structure of any length' =>
	change_if_there(qr/^\tret = get_user\(user_size.*?VALID_FLAGS\)\n\t\treturn -EINVAL;\n/ms, sub { <<END }),
	if (copy_from_user(&bind, arg, minsz))
		return -EFAULT;

	if (bind.argsz < minsz || bind.flags || bind.iommufd < 0)
		return -EINVAL;
END
     'VALID_FLAGS' => change_if_there(qr/^\tconst u32 VALID_FLAGS = .*\n/m),
     'user_size' => change_if_there(qr/^\tu32 user_size;\n/m));

edit('include/linux/vfio.h',
     'description of @match' =>
	change(qr/^ \* \@match:.*\n(?: \*  .*\n)*/m),
     'description of @match_token_uuid' =>
	change_if_there(qr/^ \* \@match_token_uuid:.*\n(?: \*  .*\n)*/m));

edit('include/linux/vfio_pci_core.h',
     'include of uuid.h' => change(qr/^#include <linux\/uuid\.h>\n/m),
     'include of notifier.h' => change(qr/^#include <linux\/notifier\.h>\n/m));

edit('include/uapi/linux/vfio.h',
     'flags of VFIO_DEVICE_BIND_IOMMUFD' =>
	change_if_there(qr/^ \* \@flags:\t Must be 0 or a bit flags of VFIO_DEVICE_BIND_\*\n/m,
			sub { " * \@flags:\t Must be 0.\n" }),
     'description of token_uuid_ptr' =>
	change_if_there(qr/^ \* \@token_uuid_ptr:.*\n(?: \*  .*\n)*/m),
     'text on tokens' =>
	change_if_there(qr/^ \* A token is sometimes required to open(?: \*.+\n|.+\n)*? \*\n/m),
     'flag of a token' => change_if_there(qr/^#define VFIO_DEVICE_BIND_FLAG_TOKEN.*\n/m),
     'pointer to a token' => change_if_there(qr/^\t__aligned_u64\ttoken_uuid_ptr;\n/m),
     'VFIO_DEVICE_FEATURE_PCI_VF_TOKEN and its comment' =>
	change(qr/^\/\*\n(?: \*(?!\/).*\n)+ \*\/\n#define VFIO_DEVICE_FEATURE_PCI_VF_TOKEN\b.*\n\n/m));
