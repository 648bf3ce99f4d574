/*
 * ISA DMA as devices see it: a channel, asked for with DREQ, that moves bytes one after the other.
 *
 * A device attaches to its channel (isa_dma() of hw/isa.h finds it) when it is realized. To move data
 * it raises DREQ; once software has programmed and unmasked the channel, ready() is called, from the main
 * loop. It moves as much as it likes with dma_read() and dma_write(), now or later: the channel stays
 * granted until terminal count or until software masks it. A device that found the channel not ready
 * just waits with DREQ up, for ready() comes again when there is a change.
 *
 * The controller's modes of arbitration (single, demand, block) make no difference to what is moved.
 * Cascade mode of channel 4 neither: requests of the lower channels pass it always.
 *
 * All functions want the machine lock, and a channel that is not NULL.
 */
#ifndef HW_DMA_H
#define HW_DMA_H

#include "device/device.h"
#include "mem/space.h"

struct dma_channel;

enum dma_direction {
	DMA_VERIFY,
	DMA_TO_MEMORY,   /* "write transfer" */
	DMA_FROM_MEMORY, /* "read transfer" */
	DMA_ILLEGAL,
};

enum dma_mode { DMA_DEMAND, DMA_SINGLE, DMA_BLOCK, DMA_CASCADE };

/* False when another device has it. */
bool dma_attach(struct dma_channel *channel, void (*ready)(void *opaque), void *opaque);
void dma_detach(struct dma_channel *channel);

/* DREQ. Raising it while it is up asks for another call of ready(). */
void dma_request(struct dma_channel *channel, bool level);

/* Requested, unmasked, and the controller is enabled. */
bool dma_is_ready(const struct dma_channel *channel);

/* What software programmed. */
enum dma_direction dma_direction(const struct dma_channel *channel);
enum dma_mode dma_mode(const struct dma_channel *channel);
bool dma_is_autoinit(const struct dma_channel *channel);
/* Bytes until terminal count, 1 to 128 KiB; 0 after it. */
size_t dma_left(const struct dma_channel *channel);

/*
 * Moves up to @len bytes, whichever direction the channel was programmed for, and returns how many were:
 * fewer when the channel is not ready, or terminal count came. It sets *@tc (may be NULL) if it did with
 * the last byte moved; with autoinit the next call goes on from the start, without it the channel
 * is masked then. In verify mode reads give zeros and writes go nowhere. A channel of 16 bits moves
 * whole words: @len is rounded down.
 */
size_t dma_read(struct dma_channel *channel, void *buf, size_t len, bool *tc);
size_t dma_write(struct dma_channel *channel, const void *buf, size_t len, bool *tc);

/* ---- For the board ---- */

extern const struct device_type i8237_type;

/* The controller of channels 0 to 3 (@wide false), or of the 16-bit ones, 4 to 7; made, not realized. */
struct device *i8237_new(struct address_space *memory, bool wide);

#endif
