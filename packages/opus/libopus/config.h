/* Stands for what libopus' configure would write; the same for both builds. */
#ifndef CONFIG_H
#define CONFIG_H

#define OPUS_BUILD 1
#define VAR_ARRAYS 1
#define HAVE_LRINT 1
#define HAVE_LRINTF 1
#define HAVE_STDINT_H 1
#define PACKAGE_VERSION "1.5.2"

#endif
