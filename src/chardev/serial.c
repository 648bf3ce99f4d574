/* serial: a terminal device of the host, with its line parameters, modem lines and break. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fdset.h"
#include "internal.h"

struct serial_options {
	struct chardev_common common;
	char *device;
};

struct serial_chardev {
	struct chardev chr;
	struct fd_stream stream;
};

static const struct {
	unsigned rate;
	speed_t code;
} speeds[] = {
	{50, B50},           {75, B75},           {110, B110},         {134, B134},
	{150, B150},         {200, B200},         {300, B300},         {600, B600},
	{1200, B1200},       {1800, B1800},       {2400, B2400},       {4800, B4800},
	{9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
	{115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
	{576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
	{1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000},
	{3500000, B3500000}, {4000000, B4000000},
};

/* The nearest speed that termios has a code for: a divisor seldom yields a round number. */
static speed_t speed_code(unsigned rate)
{
	size_t best = 0;

	for (size_t i = 1; i < G_N_ELEMENTS(speeds); i++)
		if (ABS((int64_t)speeds[i].rate - rate) < ABS((int64_t)speeds[best].rate - rate))
			best = i;
	return speeds[best].code;
}

static bool serial_set_params(struct chardev *chr, const struct serial_params *params)
{
	struct serial_chardev *serial = container_of(chr, struct serial_chardev, chr);
	static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
	struct termios tio;

	if (tcgetattr(serial->stream.in, &tio) < 0)
		return false;
	cfmakeraw(&tio);
	cfsetspeed(&tio, speed_code(params->speed));
	tio.c_iflag &= ~INPCK;
	tio.c_cflag &= ~(CSIZE | CSTOPB | PARENB | PARODD | CRTSCTS);
	tio.c_cflag |= CREAD | CLOCAL | sizes[CLAMP(params->data_bits, 5, 8) - 5];
	if (params->stop_bits == 2)
		tio.c_cflag |= CSTOPB;
	if (params->parity != 'N')
		tio.c_cflag |= PARENB;
	if (params->parity == 'O')
		tio.c_cflag |= PARODD;
	return tcsetattr(serial->stream.in, TCSANOW, &tio) == 0;
}

static bool serial_create(struct chardev *chr, const void *options, GError **errp)
{
	struct serial_chardev *serial = container_of(chr, struct serial_chardev, chr);
	const struct serial_options *opt = options;
	static const struct serial_params initial = {115200, 'N', 8, 1};
	int fd;

	fd_stream_init(&serial->stream, chr, -1, -1);
	fd = path_open(opt->device, O_RDWR | O_NONBLOCK | O_NOCTTY, 0, errp);
	if (fd < 0)
		return false;
	fd_stream_init(&serial->stream, chr, fd, fd);
	serial_set_params(chr, &initial);
	chr->open = true;
	fd_stream_start(&serial->stream);
	return true;
}

static void serial_destroy(struct chardev *chr)
{
	fd_stream_close(&container_of(chr, struct serial_chardev, chr)->stream);
}

static int serial_write(struct chardev *chr, const uint8_t *data, int len)
{
	return fd_stream_write(&container_of(chr, struct serial_chardev, chr)->stream, data, len);
}

static int serial_write_fd(struct chardev *chr)
{
	return container_of(chr, struct serial_chardev, chr)->stream.out;
}

static void serial_accept_input(struct chardev *chr)
{
	fd_stream_accept(&container_of(chr, struct serial_chardev, chr)->stream);
}

static bool serial_set_loop(struct chardev *chr, struct loop *loop)
{
	fd_stream_move(&container_of(chr, struct serial_chardev, chr)->stream, loop);
	return true;
}

static void serial_send_break(struct chardev *chr)
{
	tcsendbreak(container_of(chr, struct serial_chardev, chr)->stream.out, 1);
}

static bool serial_get_modem(struct chardev *chr, unsigned *tiocm)
{
	int lines;

	if (ioctl(container_of(chr, struct serial_chardev, chr)->stream.in, TIOCMGET, &lines) < 0)
		return false;
	*tiocm = lines;
	return true;
}

static bool serial_set_modem(struct chardev *chr, unsigned tiocm)
{
	int fd = container_of(chr, struct serial_chardev, chr)->stream.in, lines;

	if (ioctl(fd, TIOCMGET, &lines) < 0)
		return false;
	lines = (lines & ~(TIOCM_DTR | TIOCM_RTS)) | (tiocm & (TIOCM_DTR | TIOCM_RTS));
	return ioctl(fd, TIOCMSET, &lines) == 0;
}

static const struct field serial_rows[] = {
	CHARDEV_COMMON_ROWS(struct serial_options),
	ARG_STRING(struct serial_options, device, "device", "The terminal device: /dev/ttyS0"),
	FIELD_ROW_END,
};
const struct field_set chardev_serial_set = {"ChardevHostdev", sizeof(struct serial_options),
					     serial_rows};

static const struct field serial_flat[] = {
	CHARDEV_COMMON_ROWS(struct serial_options),
	OPT_STRING(struct serial_options, device, "path", "The terminal device: /dev/ttyS0"),
	FIELD_ROW_END,
};

static bool serial_finish_flat(void *options, GError **errp)
{
	struct serial_options *opt = options;

	if (opt->device)
		return true;
	error_set(errp, "chardev: serial/tty: no device path given");
	return false;
}

const struct chardev_type chardev_serial = {
	.name = "serial",
	.help = "A serial port of the host",
	.size = sizeof(struct serial_chardev),
	.options = &chardev_serial_set,
	.flat = serial_flat,
	.finish_flat = serial_finish_flat,
	.create = serial_create,
	.destroy = serial_destroy,
	.write = serial_write,
	.write_fd = serial_write_fd,
	.accept_input = serial_accept_input,
	.set_loop = serial_set_loop,
	.send_break = serial_send_break,
	.set_params = serial_set_params,
	.get_modem = serial_get_modem,
	.set_modem = serial_set_modem,
};
