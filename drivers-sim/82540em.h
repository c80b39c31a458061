/* The Intel 82540EM gigabit Ethernet controller as software sees it: register numbers, their bits,
 * and descriptor layouts. Used by the driver and by the device model.
 *
 * Source: Intel, "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual"
 * (8254x), revision 4.0: chapter 13 registers, 3.2 receive and 3.3 transmit descriptors, 5.6 EEPROM
 * map. Section numbers beside the groups refer to it. */
#ifndef PROTEOS_82540EM_H
#define PROTEOS_82540EM_H

#include <stdint.h>

/** Size of the register space, BAR 0, in bytes. */
#define E1000_BAR_BYTES 131072u

/* Offsets in BAR 0, in bytes. */
enum e1000_register {
  E1000_CTRL = 0x0000,   /* 13.4.1 device control */
  E1000_STATUS = 0x0008, /* 13.4.2 device status */
  E1000_EECD = 0x0010,   /* 13.4.3 EEPROM control: the serial lines */
  E1000_EERD = 0x0014,   /* 13.4.4 EEPROM read by word */
  E1000_MDIC = 0x0020,   /* 13.4.6 PHY access */
  E1000_ICR = 0x00C0,    /* 13.4.17 interrupt cause; a read clears it */
  E1000_ITR = 0x00C4,    /* 13.4.18 interval between interrupts, in 256 ns */
  E1000_ICS = 0x00C8,    /* 13.4.19 sets causes */
  E1000_IMS = 0x00D0,    /* 13.4.20 sets bits of the interrupt mask */
  E1000_IMC = 0x00D8,    /* 13.4.21 clears bits of the interrupt mask */
  E1000_RCTL = 0x0100,   /* 13.4.22 receive control */
  E1000_TCTL = 0x0400,   /* 13.4.33 transmit control */
  E1000_TIPG = 0x0410,   /* 13.4.34 inter-packet gap; without meaning on a simulated wire */
  E1000_RDBAL = 0x2800,  /* 13.4.25 receive ring: address, low half */
  E1000_RDBAH = 0x2804,  /* 13.4.26 high half */
  E1000_RDLEN = 0x2808,  /* 13.4.27 length in bytes, a multiple of 128 */
  E1000_RDH = 0x2810,    /* 13.4.28 head: next descriptor that the device uses */
  E1000_RDT = 0x2818,    /* 13.4.29 tail: first descriptor that it may not use */
  E1000_RDTR = 0x2820,   /* 13.4.30 receive delay, in 1.024 us */
  E1000_RADV = 0x282C,   /* 13.4.31 receive delay at most, in 1.024 us */
  E1000_TDBAL = 0x3800,  /* 13.4.35 transmit ring, as the receive ring */
  E1000_TDBAH = 0x3804,
  E1000_TDLEN = 0x3808,
  E1000_TDH = 0x3810,
  E1000_TDT = 0x3818,
  E1000_TIDV = 0x3820, /* 13.4.44 transmit delay, in 1.024 us */
  E1000_TADV = 0x382C, /* 13.4.47 transmit delay at most, in 1.024 us */
  E1000_MTA = 0x5200,  /* 13.5.1 multicast table: 128 words, one bit a hash */
  E1000_RAL = 0x5400,  /* 13.5.2 receive address, low half; 16 pairs, 8 bytes apart */
  E1000_RAH = 0x5404,  /* 13.5.3 high half */

  /* 13.7 statistics; a read clears. 64-bit ones are cleared by reading the high half. */
  E1000_STATISTICS = 0x4000,
  E1000_MPC = 0x4010,
  E1000_PRC64 = 0x405C,
  E1000_PRC1522 = 0x4070,
  E1000_GPRC = 0x4074,
  E1000_BPRC = 0x4078,
  E1000_MPRC = 0x407C,
  E1000_GPTC = 0x4080,
  E1000_GORCL = 0x4088,
  E1000_GORCH = 0x408C,
  E1000_GOTCL = 0x4090,
  E1000_GOTCH = 0x4094,
  E1000_RNBC = 0x40A0,
  E1000_RUC = 0x40A4,
  E1000_ROC = 0x40AC,
  E1000_TORL = 0x40C0,
  E1000_TORH = 0x40C4,
  E1000_TOTL = 0x40C8,
  E1000_TOTH = 0x40CC,
  E1000_TPR = 0x40D0,
  E1000_TPT = 0x40D4,
  E1000_PTC64 = 0x40D8,
  E1000_PTC1522 = 0x40EC,
  E1000_MPTC = 0x40F0,
  E1000_BPTC = 0x40F4,
  E1000_STATISTICS_END = 0x4100,
};

enum e1000_ctrl { /* 13.4.1 */
                  E1000_CTRL_FD = 1 << 0,
                  E1000_CTRL_ASDE = 1 << 5,
                  E1000_CTRL_SLU = 1 << 6, /* set link up */
                  E1000_CTRL_SPEED_1000 = 2 << 8,
                  E1000_CTRL_RST = 1 << 26, /* clears itself */
};
#define E1000_CTRL_PHY_RST (1u << 31)

enum e1000_status { /* 13.4.2 */
                    E1000_STATUS_FD = 1 << 0,
                    E1000_STATUS_LU = 1 << 1, /* link up */
                    E1000_STATUS_SPEED_1000 = 2 << 6,
};

enum e1000_eecd { /* 13.4.3: Microwire lines, 5.4 */
                  E1000_EECD_SK = 1 << 0,
                  E1000_EECD_CS = 1 << 1,
                  E1000_EECD_DI = 1 << 2, /* into the EEPROM */
                  E1000_EECD_DO = 1 << 3, /* out of the EEPROM */
                  E1000_EECD_FWE = 2 << 4,
                  E1000_EECD_REQ = 1 << 6,
                  E1000_EECD_GNT = 1 << 7,
                  E1000_EECD_PRES = 1 << 8,
};

enum e1000_eerd { /* 13.4.4 */
                  E1000_EERD_START = 1 << 0,
                  E1000_EERD_DONE = 1 << 4,
                  E1000_EERD_ADDR_SHIFT = 8,
                  E1000_EERD_DATA_SHIFT = 16,
};

#define E1000_EEPROM_WORDS    64u
#define E1000_EEPROM_CHECKSUM 0x3Fu   /* 5.6.35: the word that makes the sum right */
#define E1000_EEPROM_SUM      0xBABAu /* of all 64 words */

enum e1000_mdic { /* 13.4.6 */
                  E1000_MDIC_DATA_MASK = 0xFFFF,
                  E1000_MDIC_REG_SHIFT = 16,
                  E1000_MDIC_PHY_SHIFT = 21,
                  E1000_MDIC_OP_WRITE = 1 << 26,
                  E1000_MDIC_OP_READ = 2 << 26,
                  E1000_MDIC_OP_MASK = 3 << 26,
                  E1000_MDIC_READY = 1 << 28,
                  E1000_MDIC_INTERRUPT = 1 << 29,
                  E1000_MDIC_ERROR = 1 << 30,
};
#define E1000_PHY_ADDRESS 1u

enum e1000_phy { /* 8.5 */
                 E1000_PHY_CONTROL = 0,
                 E1000_PHY_STATUS = 1,
                 E1000_PHY_ID1 = 2,
                 E1000_PHY_ID2 = 3,
                 E1000_PHY_AUTONEG_ADVERTISE = 4,
                 E1000_PHY_LINK_PARTNER = 5,
                 E1000_PHY_1000T_CONTROL = 9,
                 E1000_PHY_1000T_STATUS = 10,
                 E1000_PHY_SPECIFIC_CONTROL = 16,
                 E1000_PHY_SPECIFIC_STATUS = 17,

                 E1000_PHY_CONTROL_RESET = 1 << 15,
                 E1000_PHY_CONTROL_AUTONEG = 1 << 12,
                 E1000_PHY_CONTROL_POWER_DOWN = 1 << 11,
                 E1000_PHY_CONTROL_RESTART = 1 << 9,
                 E1000_PHY_STATUS_AUTONEG_DONE = 1 << 5,
                 E1000_PHY_STATUS_LINK = 1 << 2,
};

enum e1000_cause {                            /* 13.4.17 */
                   E1000_ICR_TXDW = 1 << 0,   /* transmit descriptor written back */
                   E1000_ICR_TXQE = 1 << 1,   /* transmit queue empty */
                   E1000_ICR_LSC = 1 << 2,    /* link state changed */
                   E1000_ICR_RXDMT0 = 1 << 4, /* few receive descriptors left */
                   E1000_ICR_RXO = 1 << 6,    /* overrun */
                   E1000_ICR_RXT0 = 1 << 7,   /* frames received */
                   E1000_ICR_MDAC = 1 << 9,   /* PHY access done */
};

enum e1000_rctl { /* 13.4.22 */
                  E1000_RCTL_EN = 1 << 1,
                  E1000_RCTL_SBP = 1 << 2,
                  E1000_RCTL_UPE = 1 << 3, /* every unicast address */
                  E1000_RCTL_MPE = 1 << 4, /* every multicast address */
                  E1000_RCTL_LPE = 1 << 5, /* frames longer than 1522 bytes */
                  E1000_RCTL_RDMTS_SHIFT = 8,
                  E1000_RCTL_MO_SHIFT = 12,
                  E1000_RCTL_BAM = 1 << 15, /* broadcast */
                  E1000_RCTL_BSIZE_SHIFT = 16,
                  E1000_RCTL_BSEX = 1 << 25,
                  E1000_RCTL_SECRC = 1 << 26, /* strip the frame check sequence */
};

enum e1000_tctl { /* 13.4.33 */
                  E1000_TCTL_EN = 1 << 1,
                  E1000_TCTL_PSP = 1 << 3, /* pad short packets */
                  E1000_TCTL_CT_SHIFT = 4,
                  E1000_TCTL_COLD_SHIFT = 12,
};

#define E1000_RECEIVE_ADDRESSES 16u
#define E1000_RAH_AV            (1u << 31) /* address valid */
#define E1000_MTA_WORDS         128u

/* 3.2.3 legacy receive descriptor. */
struct e1000_rx_desc {
  uint64_t address;
  uint16_t length; /* bytes written to the buffer */
  uint16_t checksum;
  uint8_t status; /* enum e1000_rx_status */
  uint8_t errors; /* enum e1000_rx_error */
  uint16_t special;
};

enum e1000_rx_status {
  E1000_RXD_DD = 1 << 0,
  E1000_RXD_EOP = 1 << 1,
  E1000_RXD_IXSM = 1 << 2, /* ignore the checksum bits */
  E1000_RXD_PIF = 1 << 7,  /* passed only an inexact filter */
};

enum e1000_rx_error { E1000_RXE_RXE = 1 << 7 };

/* 3.3.3 legacy transmit descriptor. */
struct e1000_tx_desc {
  uint64_t address;
  uint16_t length;
  uint8_t checksum_offset;
  uint8_t command; /* enum e1000_tx_command */
  uint8_t status;  /* enum e1000_tx_status */
  uint8_t checksum_start;
  uint16_t special;
};

enum e1000_tx_command {
  E1000_TXD_EOP = 1 << 0,  /* end of packet */
  E1000_TXD_IFCS = 1 << 1, /* insert the frame check sequence */
  E1000_TXD_IC = 1 << 2,   /* insert a checksum */
  E1000_TXD_RS = 1 << 3,   /* report status */
  E1000_TXD_RPS = 1 << 4,  /* report packet sent */
  E1000_TXD_DEXT = 1 << 5, /* not a legacy descriptor */
  E1000_TXD_IDE = 1 << 7,  /* delay the interrupt */
};

enum e1000_tx_status { E1000_TXD_DD = 1 << 0 };

_Static_assert(sizeof(struct e1000_rx_desc) == 16 && sizeof(struct e1000_tx_desc) == 16,
               "descriptors are 16 bytes");

/** A ring's length is a multiple of this many bytes, and at most E1000_RING_MAX descriptors. */
#define E1000_RING_ALIGN 128u
#define E1000_RING_MAX   4096u

#endif
