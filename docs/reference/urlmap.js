// SPDX-License-Identifier: LGPL-2.1-or-later
// Where gi-docgen finds the documentation of the libraries that Weft's types come from.
baseURLs = [
  ['GObject', 'https://docs.gtk.org/gobject/'],
  ['Gio', 'https://docs.gtk.org/gio/'],
  ['Json', 'https://gnome.pages.gitlab.gnome.org/json-glib/'],
  ['Gst', 'https://gstreamer.freedesktop.org/documentation/'],
]
