!> Thermal conductivity and heat capacity of soil and bedrock.
!>
!> Farouki (1981, CRREL Monograph 81-1) and Johansen (1975) as in the CLM Technical Note, section 6.3 (eqs.
!> 6.83-6.94), without gravel: conductivity K_e lambda_sat + (1 - K_e) lambda_dry, lambda_sat a geometric mean of solids,
!> water and ice, Kersten number K_e = max(log10(S) + 1, 0) of unfrozen and S of frozen soil, in between weighted with the
!> frozen share of the water (the note switches at the freezing point, where partly frozen soil would jump). All that
!> does not depend on water is computed once by `fill_soil_thermal`; a step costs one logarithm per layer, and one
!> exponential where there is ice.
module pl_soil_thermal
   use pl_chunk, only: chunk_count, first_column, lane_source, last_column, w => chunk_width
   use pl_constants, only: conductivity_ice, conductivity_water
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: bedrock_conductivity, bedrock_heat_capacity, fill_soil_thermal, soil_thermal_properties, soil_thermal_type

   real(rk), parameter :: bedrock_conductivity = 3.0_rk    !! saturated granitic rock [W m-1 K-1]
   real(rk), parameter :: bedrock_heat_capacity = 2.0e6_rk !! [J m-3 K-1]
   real(rk), parameter :: conductivity_sand = 8.80_rk      !! of the grains [W m-1 K-1]
   real(rk), parameter :: conductivity_clay = 2.92_rk      !! of the grains [W m-1 K-1]
   real(rk), parameter :: conductivity_organic = 0.25_rk   !! of organic solids [W m-1 K-1]
   real(rk), parameter :: conductivity_dry_organic = 0.05_rk !! of dry peat [W m-1 K-1]
   real(rk), parameter :: capacity_sand = 2.128e6_rk       !! of the grains [J m-3 K-1]
   real(rk), parameter :: capacity_clay = 2.385e6_rk       !! of the grains [J m-3 K-1]
   real(rk), parameter :: capacity_organic = 2.5e6_rk      !! of organic solids [J m-3 K-1]
   real(rk), parameter :: density_grains = 2700.0_rk       !! [kg m-3]
   real(rk), parameter :: driest = 0.1_rk                  !! saturation at which K_e reaches zero [1]

   !> Properties that do not change in time, (ncolumn, nlayer).
   type :: soil_thermal_type
      real(rk), allocatable :: dry_conductivity(:, :)       !! [W m-1 K-1]
      real(rk), allocatable :: saturated_conductivity(:, :) !! [W m-1 K-1]
      real(rk), allocatable :: dry_heat_capacity(:, :)      !! of the solids, per soil volume [J m-3 K-1]
   end type soil_thermal_type

contains

   !> Properties of soil from its texture.
   pure subroutine fill_soil_thermal(sand, clay, organic, porosity, soil, error)
      real(rk), intent(in) :: sand(:, :)           !! share of the mineral soil (ncolumn, nlayer) [%]
      real(rk), intent(in) :: clay(:, :)           !! share of the mineral soil [%]
      real(rk), intent(in) :: organic(:, :)        !! organic share of the solids [1]
      real(rk), intent(in) :: porosity(:, :)       !! [m3 m-3]
      type(soil_thermal_type), intent(out) :: soil
      type(error_type), allocatable, intent(out) :: error !! shapes that differ, not enough memory
      real(rk), dimension(w) :: dry, saturated, capacity
      integer :: chunk, first, i, k, last, ncolumn, nlayer, source(w), stat
      ncolumn = size(porosity, 1)
      nlayer = size(porosity, 2)
      if (any(shape(sand) /= shape(porosity)) .or. any(shape(clay) /= shape(porosity)) &
          .or. any(shape(organic) /= shape(porosity))) then
         call raise_error(error, error_input, "soil thermal properties: sand, clay, organic and porosity differ in "// &
                          "shape; pass one value per column and layer")
         return
      end if
      allocate (soil%dry_conductivity(ncolumn, nlayer), stat=stat)
      if (stat == 0) allocate (soil%saturated_conductivity(ncolumn, nlayer), stat=stat)
      if (stat == 0) allocate (soil%dry_heat_capacity(ncolumn, nlayer), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "soil thermal properties: not enough memory; use fewer columns per rank")
         return
      end if
      ! by chunks: powers at the end of an array of any length would differ from those within
      do chunk = 1, chunk_count(ncolumn)
         first = first_column(chunk)
         last = last_column(chunk, ncolumn)
         do i = 1, w
            source(i) = lane_source(chunk, i, ncolumn)
         end do
         do k = 1, nlayer
            call mix_solids(sand(source, k), clay(source, k), organic(source, k), porosity(source, k), dry, saturated, capacity)
            soil%dry_conductivity(first:last, k) = dry(:last - first + 1)
            soil%saturated_conductivity(first:last, k) = saturated(:last - first + 1)
            soil%dry_heat_capacity(first:last, k) = capacity(:last - first + 1)
         end do
      end do
   end subroutine fill_soil_thermal

   !> Mixtures of minerals, organic matter, air and water (CLM note eqs. 6.85-6.90 and 6.92-6.94).
   elemental subroutine mix_solids(sand, clay, organic, porosity, dry, saturated, capacity)
      real(rk), intent(in) :: sand       !! [%]
      real(rk), intent(in) :: clay       !! [%]
      real(rk), intent(in) :: organic    !! [1]
      real(rk), intent(in) :: porosity   !! [m3 m-3]
      real(rk), intent(out) :: dry       !! conductivity without water [W m-1 K-1]
      real(rk), intent(out) :: saturated !! conductivity with pores full of water [W m-1 K-1]
      real(rk), intent(out) :: capacity  !! heat capacity without water [J m-3 K-1]
      real(rk) :: sand_share, density, solids
      ! pure silt has neither sand nor clay: half and half
      sand_share = 0.5_rk
      if (sand + clay > 0.0_rk) sand_share = sand/(sand + clay)
      density = density_grains*(1.0_rk - porosity)
      dry = (0.135_rk*density + 64.7_rk)/(density_grains - 0.947_rk*density)
      dry = (1.0_rk - organic)*dry + organic*conductivity_dry_organic
      solids = (1.0_rk - organic)*(sand_share*conductivity_sand + (1.0_rk - sand_share)*conductivity_clay) &
               + organic*conductivity_organic
      saturated = solids**(1.0_rk - porosity)*conductivity_water**porosity
      capacity = (1.0_rk - organic)*(sand_share*capacity_sand + (1.0_rk - sand_share)*capacity_clay) &
                 + organic*capacity_organic
      capacity = capacity*(1.0_rk - porosity)
   end subroutine mix_solids

   !> Conductivity of a chunk and its heat capacity without water: soil, and bedrock below.
   pure subroutine soil_thermal_properties(nlayer, nthermal, dry_conductivity, saturated_conductivity, &
                                           dry_heat_capacity, porosity, water, ice, conductivity, dry_capacity)
      integer, intent(in) :: nlayer                           !! soil layers [1]
      integer, intent(in) :: nthermal                         !! thermal layers, at least nlayer [1]
      real(rk), intent(in) :: dry_conductivity(w, nlayer)     !! [W m-1 K-1]
      real(rk), intent(in) :: saturated_conductivity(w, nlayer) !! of unfrozen soil [W m-1 K-1]
      real(rk), intent(in) :: dry_heat_capacity(w, nlayer)    !! [J m-3 K-1]
      real(rk), intent(in) :: porosity(w, nlayer)             !! [m3 m-3]
      real(rk), intent(in) :: water(w, nlayer)                !! liquid [m3 m-3]
      real(rk), intent(in) :: ice(w, nlayer)                  !! as volume of liquid water [m3 m-3]
      real(rk), intent(out) :: conductivity(w, nthermal)      !! [W m-1 K-1]
      real(rk), intent(out) :: dry_capacity(w, nthermal)      !! heat capacity without water [J m-3 K-1]
      real(rk), parameter :: per_decade = 1.0_rk/log(10.0_rk)
      real(rk), parameter :: frozen_gain = log(conductivity_ice/conductivity_water)
      real(rk) :: kersten, frozen, saturation, saturated
      integer :: i, k
      do k = 1, nlayer
         if (any(ice(:, k) > 0.0_rk)) then
            do i = 1, w
               frozen = ice(i, k)/max(water(i, k) + ice(i, k), tiny(frozen))
               saturation = min(max((water(i, k) + ice(i, k))/porosity(i, k), driest), 1.0_rk)
               kersten = 1.0_rk + per_decade*log(saturation)
               kersten = kersten + frozen*(saturation - kersten)
               saturated = saturated_conductivity(i, k)*exp(frozen_gain*frozen*porosity(i, k))
               conductivity(i, k) = dry_conductivity(i, k) + kersten*(saturated - dry_conductivity(i, k))
            end do
         else
            do i = 1, w
               saturation = min(max(water(i, k)/porosity(i, k), driest), 1.0_rk)
               kersten = 1.0_rk + per_decade*log(saturation)
               conductivity(i, k) = dry_conductivity(i, k) &
                                    + kersten*(saturated_conductivity(i, k) - dry_conductivity(i, k))
            end do
         end if
         do i = 1, w
            dry_capacity(i, k) = dry_heat_capacity(i, k)
         end do
      end do
      do k = nlayer + 1, nthermal
         do i = 1, w
            conductivity(i, k) = bedrock_conductivity
            dry_capacity(i, k) = bedrock_heat_capacity
         end do
      end do
   end subroutine soil_thermal_properties

end module pl_soil_thermal
