!> Physical constants.
!>
!> Values of the CLM Technical Note (Lawrence et al. 2018, NCAR/TN, table 2.7) and CIME shr_const.
module pl_constants
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: pi, stefan_boltzmann, von_karman, gravity, gas_constant, gas_dry_air, gas_water_vapour
   public :: heat_capacity_air, freezing_point, latent_vaporisation, latent_fusion
   public :: heat_capacity_water, heat_capacity_ice, conductivity_water, conductivity_ice
   public :: conductivity_air, density_water, density_ice, oxygen_mole_fraction, dry_adiabatic_lapse
   public :: kinematic_viscosity_air

   real(rk), parameter :: pi = acos(-1.0_rk)
   real(rk), parameter :: stefan_boltzmann = 5.67e-8_rk      !! [W m-2 K-4]
   real(rk), parameter :: von_karman = 0.4_rk                !! [1]
   real(rk), parameter :: gravity = 9.80616_rk               !! [m s-2]
   real(rk), parameter :: gas_constant = 8.314467_rk         !! universal gas constant [J K-1 mol-1]
   real(rk), parameter :: gas_dry_air = 287.042_rk           !! [J kg-1 K-1]
   real(rk), parameter :: gas_water_vapour = 461.504_rk      !! [J kg-1 K-1]
   real(rk), parameter :: heat_capacity_air = 1004.64_rk     !! at constant pressure [J kg-1 K-1]
   real(rk), parameter :: freezing_point = 273.15_rk         !! [K]
   real(rk), parameter :: latent_vaporisation = 2.501e6_rk   !! [J kg-1]
   real(rk), parameter :: latent_fusion = 3.337e5_rk         !! [J kg-1]
   real(rk), parameter :: heat_capacity_water = 4188.0_rk    !! [J kg-1 K-1]
   real(rk), parameter :: heat_capacity_ice = 2117.27_rk     !! [J kg-1 K-1]
   real(rk), parameter :: conductivity_water = 0.57_rk       !! thermal [W m-1 K-1]
   real(rk), parameter :: conductivity_ice = 2.29_rk         !! thermal [W m-1 K-1]
   real(rk), parameter :: conductivity_air = 0.023_rk        !! thermal [W m-1 K-1]
   real(rk), parameter :: density_water = 1000.0_rk          !! [kg m-3]
   real(rk), parameter :: density_ice = 917.0_rk             !! [kg m-3]
   real(rk), parameter :: oxygen_mole_fraction = 0.209_rk    !! [mol mol-1]
   real(rk), parameter :: dry_adiabatic_lapse = 0.0098_rk    !! [K m-1]
   real(rk), parameter :: kinematic_viscosity_air = 1.5e-5_rk !! [m2 s-1]

end module pl_constants
